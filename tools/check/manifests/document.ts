import type { IPodTemplateSpec } from "kubernetes-models/v1";

/** One document of the rendered manifests: what every kind has, the rest as YAML had it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Labels;
  };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}

export interface Policy {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly Way[];
  readonly egress?: readonly Way[];
}

interface Way {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: number }[];
}

/** Of the kinds that are looked into, what is looked at. */
interface Specs {
  NetworkPolicy: Policy;
  Service: { selector: Labels; ports: readonly { port: number; targetPort: string }[] };
  HTTPRoute: { rules?: readonly { backendRefs?: readonly { name: string; port: number }[] }[] };
  BackendTrafficPolicy: { timeout?: { http?: { connectionIdleTimeout?: string } } };
  HorizontalPodAutoscaler: { minReplicas?: number; scaleTargetRef: { kind: string; name: string } };
  PodDisruptionBudget: { maxUnavailable?: number; selector?: Selector };
  Cluster: { inheritedMetadata: { labels: Labels } };
  Pooler: { template: { metadata: { labels: Labels } } };
}

/** A thing that makes pods. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly pod: IPodTemplateSpec;
}

/** Something that is not as it should be. */
export interface Problem {
  /** `Deployment/auth`, say. */
  readonly where: string;
  readonly what: string;
}

const WORKLOADS = new Set(["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"]);

interface PodMaker {
  readonly template: IPodTemplateSpec;
}

interface CronJobSpec {
  readonly jobTemplate: { readonly spec: PodMaker };
}

export const whereOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;

export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  return manifests
    .filter(({ kind }) => WORKLOADS.has(kind))
    .map(({ kind, metadata, spec }) => ({
      kind,
      name: metadata.name,
      pod: (kind === "CronJob" ? (spec as CronJobSpec).jobTemplate.spec : (spec as PodMaker)).template,
    }));
}

/** The specs of all documents of a kind, with their names. */
export function specsOf<K extends keyof Specs>(
  manifests: readonly Manifest[],
  kind: K,
): { name: string; spec: Specs[K] }[] {
  return manifests
    .filter((manifest) => manifest.kind === kind)
    .map(({ metadata, spec }) => ({ name: metadata.name, spec: spec as Specs[K] }));
}

/** Whether labels are what a selector asks for. Of expressions only `In` is known, which is what k8s/ uses. */
export function selects(selector: Selector | undefined, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== "In") throw new Error(`a selector with ${operator} is not understood here`);
      return values.includes(labels[key] ?? "");
    })
  );
}
