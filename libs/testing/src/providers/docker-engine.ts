import { runCommand } from "../process/run-command.ts";
import type { Part } from "../servers/running-server.ts";
import type { Look } from "./provider.ts";

export const IMAGES: Record<Part, string> = { postgres: "postgres:18", nats: "nats:2", redis: "redis:8" };

/** How long a Docker engine and an image registry have to answer at all; pulling may take longer. */
const PROBE_MS = 5000;
const PULL_MS = 300_000;

/** Looks whether a Docker engine runs here and has the part's image, or can get it; gets it when it can. */
export async function lookForDockerEngine(
  part: Part,
  kind: "docker" | "testcontainers",
  note: (line: string) => void,
  signal?: AbortSignal,
): Promise<Look> {
  const image = IMAGES[part];
  const engine = await runCommand("docker", ["version", "--format", "{{.Server.Version}}"], {
    withinMs: PROBE_MS,
    signal,
  });
  if (!engine.ok) return { reason: "no Docker engine answers" };
  const source = { kind, image, label: `the Docker image ${image}` } as const;
  const present = await runCommand("docker", ["image", "inspect", image], { withinMs: PROBE_MS, signal });
  if (present.ok) return { source };
  const registry = await runCommand("docker", ["manifest", "inspect", image], { withinMs: PROBE_MS, signal });
  if (!registry.ok) return { reason: `the Docker engine cannot get ${image}` };
  note(`getting the Docker image ${image}`);
  const pulled = await runCommand("docker", ["pull", "--quiet", image], { withinMs: PULL_MS, signal });
  return pulled.ok ? { source } : { reason: `the Docker engine cannot get ${image}: ${pulled.reason}` };
}
