import { runCommand } from "../process/run-command.ts";
import type { Part } from "../servers/running-server.ts";
import type { Look } from "./provider.ts";

const IMAGES: Record<Part, string> = { postgres: "postgres:18", nats: "nats:2", redis: "redis:8" };

/** What Testcontainers runs beside the servers, to end them when the run was killed; its name is that library's default. */
const REAPER_IMAGE = "testcontainers/ryuk:0.14.0";

/** How long a Docker engine and an image registry have to answer at all; pulling may take longer. */
const PROBE_MS = 5000;
const PULL_MS = 300_000;

export interface DockerOptions {
  /** Where the command docker is found, and which engine it speaks to. */
  readonly environment: NodeJS.ProcessEnv;
  readonly note: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Looks whether a Docker engine runs here and has the images that the part takes, or can get them; gets them when it can. */
export async function lookForDockerEngine(
  part: Part,
  kind: "docker" | "testcontainers",
  { environment, note, signal }: DockerOptions,
): Promise<Look> {
  const docker = (args: readonly string[], withinMs: number) =>
    runCommand("docker", args, { environment, withinMs, signal });

  /** Why the engine cannot have the image; undefined when it has it. */
  async function obtain(image: string): Promise<string | undefined> {
    const present = await docker(["image", "inspect", image], PROBE_MS);
    if (present.ok) return undefined;
    const registry = await docker(["manifest", "inspect", image], PROBE_MS);
    if (!registry.ok) return `the Docker engine cannot get ${image}`;
    note(`getting the Docker image ${image}`);
    const pulled = await docker(["pull", "--quiet", image], PULL_MS);
    return pulled.ok ? undefined : `the Docker engine cannot get ${image}: ${pulled.reason}`;
  }

  const engine = await docker(["version", "--format", "{{.Server.Version}}"], PROBE_MS);
  if (!engine.ok) return { reason: "no Docker engine answers" };
  const image = IMAGES[part];
  const images = kind === "testcontainers" ? [image, ...reaperImages(environment)] : [image];
  for (const each of images) {
    const reason = await obtain(each);
    if (reason !== undefined) return { reason };
  }
  return { source: { kind, image, label: `the Docker image ${image}` } };
}

function reaperImages(environment: NodeJS.ProcessEnv): string[] {
  if (environment["TESTCONTAINERS_RYUK_DISABLED"] === "true") return [];
  return [environment["RYUK_CONTAINER_IMAGE"] || REAPER_IMAGE];
}
