const COMMAND_MS = 600_000;

/** A namespace of a cluster. All of it is text, so that it can be handed to another process. */
import { runOrThrow } from "@gatehouse/local-stack";
export interface Cluster {
  readonly kubectl: string;
  /** Of kubectl's configuration. */
  readonly context: string;
  readonly namespace: string;
}

/** Runs kubectl in the namespace, for ten minutes at most. @returns what it wrote to standard output @throws with what it said when it failed */
export async function runKubectl(cluster: Cluster, ...args: readonly string[]): Promise<string> {
  return runOrThrow(cluster.kubectl, inNamespace(cluster, args), process.env, { withinMs: COMMAND_MS });
}

/** As `kubectl wait`, for eight minutes at most and no longer than until the signal. @throws with what did not come about */
export async function waitFor(
  cluster: Cluster,
  condition: string,
  signal: AbortSignal,
  ...what: readonly string[]
): Promise<void> {
  const args = inNamespace(cluster, ["wait", `--for=condition=${condition}`, "--timeout=8m", ...what]);
  await runOrThrow(cluster.kubectl, args, process.env, { withinMs: COMMAND_MS, signal });
}

/** The arguments for a kubectl that runs on, such as `port-forward`. */
export function inNamespace({ context, namespace }: Cluster, args: readonly string[]): string[] {
  return ["--context", context, "--namespace", namespace, ...args];
}
