import { spawnSync } from "node:child_process";
import type { IContainer, IPodSpec, IPodTemplateSpec } from "kubernetes-models/v1";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

export const OVERLAYS = ["dev", "prod"] as const;
export type Overlay = (typeof OVERLAYS)[number];

export type Labels = Readonly<Record<string, string>>;

/** One document of the rendered manifests. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, string>>;
}

export interface Problem {
  /** `Deployment/auth`, for example. */
  readonly where: string;
  readonly what: string;
}

/** A document that creates pods. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
  readonly where: string;
  readonly labels: Labels;
  readonly pod: IPodSpec;
  readonly container: IContainer;
}

interface PodMaker {
  readonly template: IPodTemplateSpec;
}

/**
 * Returns what `kubectl apply --kustomize` would send. Uses neither a cluster nor the network.
 * @throws Error with the errors and warnings of Kustomize
 */
export function render(overlay: Overlay): Manifest[] {
  const options = { cwd: ROOT, encoding: "utf8", maxBuffer: 16 * 1024 * 1024 } as const;
  const { status, stdout, stderr, error } = spawnSync("kubectl", ["kustomize", `k8s/overlays/${overlay}`], options);
  if (error || status !== 0 || stderr !== "") throw error ?? new Error(`k8s/overlays/${overlay}: ${stderr.trim()}`);
  return parseAllDocuments(stdout).map((document) => {
    const manifest = document.toJS() as Manifest;
    if (manifest.kind !== "Secret") return manifest;
    // Kustomize breaks long base64 into lines, which validators reject.
    const data = Object.entries(manifest.data ?? {}).map(([key, value]) => [key, value.replaceAll("\n", "")] as const);
    return { ...manifest, data: Object.fromEntries(data) };
  });
}

export const whereOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;

export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  return manifests.flatMap((manifest): Workload[] => {
    const { template, jobTemplate } = (manifest.spec ?? {}) as Partial<PodMaker> & { jobTemplate?: { spec: PodMaker } };
    const { metadata, spec: pod }: IPodTemplateSpec = jobTemplate?.spec.template ?? template ?? {};
    const container = pod?.containers?.[0];
    if (!container || manifest.apiVersion.startsWith("postgresql.")) return [];
    const { kind, metadata: own } = manifest;
    return [{ kind, name: own.name, where: whereOf(manifest), labels: metadata?.labels ?? {}, pod, container }];
  });
}

/** Returns the specs of all documents of a kind, with their names. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the part of the spec that it reads
export const specsOf = <Spec>(manifests: readonly Manifest[], kind: string): { name: string; spec: Spec }[] =>
  manifests
    .filter((manifest) => manifest.kind === kind)
    .map(({ metadata, spec }) => ({ name: metadata.name, spec: spec as Spec }));

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: string[];
  }[];
}

/** @throws Error for an operator other than `In` */
export function selects({ matchLabels = {}, matchExpressions = [] }: Selector = {}, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== "In") throw new Error(`Operator ${operator} of a selector is not supported by this check.`);
      return values.includes(labels[key] ?? "");
    })
  );
}
