import { runCommand } from "../process/run-command.ts";
import type { Part } from "../servers/running-server.ts";
import type { Look } from "./provider.ts";

const IMAGES: Record<Part, string> = { postgres: "postgres:18", nats: "nats:2", redis: "redis:8" };

/** How long a Docker engine and an image registry have to answer at all; pulling may take longer. */
const PROBE_MS = 5000;
const PULL_MS = 300_000;

export interface DockerOptions {
  /** Where the command docker is found, and which engine it speaks to. */
  readonly environment: NodeJS.ProcessEnv;
  readonly note: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Looks whether a Docker engine runs here and has the part's image, or can get it; gets it when it can. */
export async function lookForDockerEngine(
  part: Part,
  kind: "docker" | "testcontainers",
  { environment, note, signal }: DockerOptions,
): Promise<Look> {
  const image = IMAGES[part];
  const docker = (args: readonly string[], withinMs: number) =>
    runCommand("docker", args, { environment, withinMs, signal });
  const engine = await docker(["version", "--format", "{{.Server.Version}}"], PROBE_MS);
  if (!engine.ok) return { reason: "no Docker engine answers" };
  const source = { kind, image, label: `the Docker image ${image}` } as const;
  const present = await docker(["image", "inspect", image], PROBE_MS);
  if (present.ok) return { source };
  const registry = await docker(["manifest", "inspect", image], PROBE_MS);
  if (!registry.ok) return { reason: `the Docker engine cannot get ${image}` };
  note(`getting the Docker image ${image}`);
  const pulled = await docker(["pull", "--quiet", image], PULL_MS);
  return pulled.ok ? { source } : { reason: `the Docker engine cannot get ${image}: ${pulled.reason}` };
}
