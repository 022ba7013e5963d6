import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type Labels, type Manifest, type Problem, specsOf, workloadsOf } from "./document.ts";
import { environmentOf } from "./environment.ts";
import { allowedArrows, type Pod } from "./network.ts";
import type { Overlay } from "./render.ts";
import { SERVICES } from "./rules.ts";
import { variablesOf } from "./wiring.ts";

/** Somebody who is reached by a name: which pods, and on which of their ports. */
interface Host {
  readonly component: string;
  readonly port: number;
}

/** What a variable of the services leads to, by its name: so that AUTH_URL does not lead to the user service. */
const LEADS_TO: readonly (readonly [variable: RegExp, target: RegExp])[] = [
  [/^AUTH_URL$/, /^auth$/],
  [/^USER_URL$/, /^user$/],
  [/^NATS_URL$/, /^nats$/],
  [/^REDIS_URL$/, /^redis$/],
  [/DATABASE_URL$/, /^postgres(-server)?$/],
  [/^OTEL_.*ENDPOINT$/, /^observability$/],
];

/** Who comes in from outside in production: what ends TLS. In dev it is `kubectl port-forward`, which no policy sees. */
const EDGE: Record<Overlay, readonly string[]> = { dev: [], prod: ["envoy-gateway-system -> gateway:8000"] };

const componentOf = (labels: Labels) => labels["app.kubernetes.io/component"] ?? "unlabelled";
const readValues = (chart: string) =>
  parse(readFileSync(new URL(`../../../k8s/overlays/prod/charts/${chart}.yaml`, import.meta.url), "utf8")) as unknown;

/** Pods and names that charts and operators make in production, as far as their values say. */
function madeByOthers(manifests: readonly Manifest[]): { pods: Pod[]; hosts: Map<string, Host> } {
  const nats = readValues("nats") as {
    fullnameOverride: string;
    podTemplate: { merge: { metadata: { labels: Labels } } };
  };
  const redis = readValues("redis") as { fullnameOverride: string; labels: Labels; haproxy: { labels: Labels } };
  const [cluster] = specsOf(manifests, "Cluster");
  const [pooler] = specsOf(manifests, "Pooler");
  if (!cluster || !pooler) throw new Error("there is no Cluster or no Pooler");
  const named: readonly (readonly [name: string | undefined, labels: Labels, port: number])[] = [
    [nats.fullnameOverride, nats.podTemplate.merge.metadata.labels, 4222],
    [`${redis.fullnameOverride}-haproxy`, redis.haproxy.labels, 6379],
    [undefined, redis.labels, 6379],
    [`${cluster.name}-rw`, cluster.spec.inheritedMetadata.labels, 5432],
    [pooler.name, pooler.spec.template.metadata.labels, 5432],
  ];
  return {
    pods: named.map(([, labels]) => ({ component: componentOf(labels), labels })),
    hosts: new Map(
      named.flatMap(([name, labels, port]) =>
        name === undefined ? [] : [[name, { component: componentOf(labels), port }]],
      ),
    ),
  };
}

/** The Services among the manifests: which pods, and on which port of theirs. */
function ownHosts(manifests: readonly Manifest[]): Map<string, Host> {
  const services = specsOf(manifests, "Service");
  return new Map(
    services.flatMap(({ name, spec: { selector, ports } }) => {
      const workload = workloadsOf(manifests).find(({ pod }) =>
        Object.entries(selector).every(([key, value]) => pod.metadata?.labels?.[key] === value),
      );
      const own = workload?.pod.spec?.containers.flatMap((one) => one.ports ?? []) ?? [];
      const port = own.find((one) => one.name === ports[0]?.targetPort)?.containerPort;
      return port === undefined ? [] : [[name, { component: componentOf(workload?.pod.metadata?.labels ?? {}), port }]];
    }),
  );
}

/** `gateway -> auth:8001`, by what a service reads from its environment and what is there. */
async function usedArrows(manifests: readonly Manifest[], hosts: ReadonlyMap<string, Host>, problems: Problem[]) {
  const arrows = new Set<string>();
  for (const workload of workloadsOf(manifests)) {
    const variables = await variablesOf(workload);
    const container = workload.pod.spec?.containers[0];
    if (!variables || !container) continue;
    const environment = environmentOf(manifests, container);
    // Commands send no telemetry.
    const addresses = SERVICES.includes(workload.name) ? /_(URL|ENDPOINT)$/ : /_URL$/;
    for (const name of variables.filter((one) => addresses.test(one) && environment[one])) {
      const { hostname, port } = new URL(environment[name] ?? "");
      const [host = "", namespace] = hostname.split(".");
      // Of another namespace: nothing is known of its pods, so the port is the one in the URL.
      const target = namespace === undefined ? hosts.get(host) : { component: namespace, port: Number(port) };
      const rule = LEADS_TO.find(([variable]) => variable.test(name));
      if (!target || !rule?.[1].test(target.component))
        problems.push({
          where: `${workload.kind}/${workload.name}`,
          what: `${name} leads to ${target?.component ?? `nobody: ${host}`}`,
        });
      else arrows.add(`${workload.name} -> ${target.component}:${target.port}`);
    }
  }
  return arrows;
}

/** Compares whom the services talk to with whom the policies let them talk to, and be talked to by; both ways. */
export async function checkArrows(manifests: readonly Manifest[], overlay: Overlay): Promise<Problem[]> {
  const others = overlay === "prod" ? madeByOthers(manifests) : { pods: [], hosts: new Map<string, Host>() };
  const own = workloadsOf(manifests).map(({ pod }) => ({ labels: pod.metadata?.labels ?? {} }));
  const pods = [...own.map(({ labels }) => ({ component: componentOf(labels), labels })), ...others.pods];
  const problems: Problem[] = [];
  const used = await usedArrows(manifests, new Map([...ownHosts(manifests), ...others.hosts]), problems);
  for (const arrow of EDGE[overlay]) used.add(arrow);
  // What servers say to each other is their charts' and operators' business.
  const ours = (arrow: string) =>
    /^(\S+) -> (\S+):/
      .exec(arrow)
      ?.slice(1)
      .some((name) => [...SERVICES, "migrate", "ops"].includes(name));
  const allowed = new Set([...allowedArrows(manifests, pods)].filter(ours));
  const where = "NetworkPolicy";
  for (const arrow of used) if (!allowed.has(arrow)) problems.push({ where, what: `${arrow} is used and not allowed` });
  for (const arrow of allowed) if (!used.has(arrow)) problems.push({ where, what: `${arrow} is allowed and not used` });
  return problems;
}
