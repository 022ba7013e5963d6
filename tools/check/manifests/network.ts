import { type Labels, type Manifest, type Peer, type Policy, selects, specsOf } from "./document.ts";

/** A kind of pod, in the namespace of the manifests. */
export interface Pod {
  readonly component: string;
  readonly labels: Labels;
}

type Direction = "ingress" | "egress";

const NAMESPACE = "kubernetes.io/metadata.name";
/** Everybody may ask for names, there and nowhere else. */
const NAMES = "kube-system";
const ANYWHERE: readonly (Peer | undefined)[] = [undefined];

/**
 * Who may connect to what, as `gateway -> auth:8001`: what both sides allow. A pod of another namespace is called after that namespace; a
 * way without a peer leads to `anywhere`.
 * @throws Error when the namespace does not deny what nobody allows
 */
export function allowedArrows(manifests: readonly Manifest[], pods: readonly Pod[]): Set<string> {
  const policies = specsOf(manifests, "NetworkPolicy").map(({ spec }) => spec);
  const deniesAll = ({ podSelector, policyTypes, ingress, egress }: Policy) =>
    Object.keys(podSelector).length === 0 && policyTypes.length === 2 && !ingress && !egress;
  if (!policies.some(deniesAll)) throw new Error("no policy denies all that is not allowed");

  /** Of one pod, in one direction: `peer:port`, with the peers that the policies name. */
  const waysOf = (pod: Pod, direction: Direction): string[] =>
    policies
      .filter(({ podSelector }) => selects(podSelector, pod.labels))
      .flatMap((policy) => policy[direction] ?? [])
      .flatMap(({ from, to, ports = [] }) =>
        (from ?? to ?? ANYWHERE).flatMap((peer) =>
          peersOf(peer, pods).flatMap((name) => ports.map(({ port }) => `${name}:${port}`)),
        ),
      );

  const arrows = new Set<string>();
  const components = new Set(pods.map(({ component }) => component));
  for (const pod of pods) {
    for (const way of waysOf(pod, "egress")) {
      const [peer = "", port = ""] = way.split(":");
      const isMutual = pods.some(
        (one) => one.component === peer && waysOf(one, "ingress").includes(`${pod.component}:${port}`),
      );
      if (!components.has(peer) || isMutual) arrows.add(`${pod.component} -> ${way}`);
    }
    for (const way of waysOf(pod, "ingress")) {
      const [peer = "", port = ""] = way.split(":");
      if (!components.has(peer)) arrows.add(`${peer} -> ${pod.component}:${port}`);
    }
  }
  return arrows;
}

function peersOf(peer: Peer | undefined, pods: readonly Pod[]): string[] {
  if (peer === undefined) return ["anywhere"];
  const namespace = peer.namespaceSelector?.matchLabels?.[NAMESPACE];
  if (namespace === NAMES) return [];
  if (peer.namespaceSelector) return [namespace ?? "anywhere"];
  return pods.filter(({ labels }) => selects(peer.podSelector, labels)).map(({ component }) => component);
}
