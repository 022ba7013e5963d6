import { runCommand } from "../process/run-command.ts";
import type { Look, LookOptions, Part } from "../servers/types.ts";

const IMAGES: Record<Part, string> = { postgres: "postgres:18", nats: "nats:2", redis: "redis:8" };

/** How long the engine and the registry may take to answer. */
const PROBE_MS = 5_000;
const PULL_MS = 300_000;

/** Looks for a Docker engine that has the part's image or can pull it; pulls it when needed. */
export async function lookForDockerEngine(
  part: Part,
  { environment, note, signal }: Omit<LookOptions, "cacheFolder">,
): Promise<Look> {
  const docker = (args: readonly string[], withinMs: number) =>
    runCommand("docker", args, { environment, withinMs, signal });
  const image = IMAGES[part];
  const engine = await docker(["version", "--format", "{{.Server.Version}}"], PROBE_MS);
  if (!engine.ok) return { reason: "no Docker engine answers" };
  if (!(await docker(["image", "inspect", image], PROBE_MS)).ok) {
    const registry = await docker(["manifest", "inspect", image], PROBE_MS);
    if (!registry.ok) return { reason: `the Docker engine cannot get ${image}` };
    note(`pulling the Docker image ${image}`);
    const pulled = await docker(["pull", "--quiet", image], PULL_MS);
    if (!pulled.ok) return { reason: `the Docker engine cannot get ${image}: ${pulled.reason}` };
  }
  return { source: { kind: "docker", image, label: `the Docker image ${image}` } };
}
