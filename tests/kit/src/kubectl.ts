import { runCommand, runOrThrow } from "@gatehouse/local-stack";

const COMMAND_MS = 600_000;

/** The manifests in k8s/ use `labels`, `replacements` and `patches` of Kustomize 5. */
const KUSTOMIZE_MAJOR = 5;

/** Returns why this machine cannot render the manifests; undefined when PATH has kubectl with Kustomize 5. */
export async function whyNoKubectl(): Promise<string | undefined> {
  const { ok, stdout } = await runCommand("kubectl", ["version", "--client"], { environment: process.env });
  const major = /Kustomize Version: v(\d+)/.exec(stdout)?.[1];
  if (ok && Number(major) >= KUSTOMIZE_MAJOR) return undefined;
  return `PATH has no kubectl with Kustomize ${KUSTOMIZE_MAJOR}. Install kubectl 1.27 or later.`;
}

/** A namespace of a cluster. Plain data, so that it can be handed to another process. */
export interface Cluster {
  /** A context of kubectl's configuration. */
  readonly context: string;
  readonly namespace: string;
}

/** Runs kubectl in the namespace, within ten minutes. @returns its standard output @throws Error with its standard error */
export async function runKubectl(cluster: Cluster, ...args: readonly string[]): Promise<string> {
  return runOrThrow("kubectl", inNamespace(cluster, args), process.env, { withinMs: COMMAND_MS });
}

/** Runs `kubectl wait`, within eight minutes and until the signal aborts. @throws Error with the unmet condition */
export async function waitFor(
  cluster: Cluster,
  condition: string,
  signal: AbortSignal,
  ...what: readonly string[]
): Promise<void> {
  const args = inNamespace(cluster, ["wait", `--for=condition=${condition}`, "--timeout=8m", ...what]);
  await runOrThrow("kubectl", args, process.env, { withinMs: COMMAND_MS, signal });
}

/** Returns the arguments for a kubectl command that keeps running, such as `port-forward`. */
export function inNamespace({ context, namespace }: Cluster, args: readonly string[]): string[] {
  return ["--context", context, "--namespace", namespace, ...args];
}
