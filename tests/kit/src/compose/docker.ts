const TARGETS = ["gateway", "auth", "user", "tools"] as const;
import { runCommand, runOrThrow } from "@gatehouse/local-stack";
export type ImageTarget = (typeof TARGETS)[number];

const BUILD_MS = 900_000;

/** Runs docker to its end. @throws with what it said when it failed */
export async function docker(args: readonly string[], withinMs = 120_000): Promise<string> {
  return runOrThrow("docker", args, { ...process.env, DOCKER_BUILDKIT: "1" }, { withinMs });
}

/** The command of Compose on this machine; a reason, as text, when there is none or no Docker engine. */
export async function findCompose(): Promise<readonly [command: string, ...args: string[]] | string> {
  const environment = process.env;
  const engine = await runCommand("docker", ["info", "--format", "{{.ServerVersion}}"], { environment });
  if (!engine.ok) return "no Docker engine answers";
  for (const tool of [["docker", "compose"] as const, ["docker-compose"] as const]) {
    const [command, ...args] = tool;
    if ((await runCommand(command, [...args, "version"], { environment })).ok) return tool;
  }
  return "there is neither `docker compose` nor `docker-compose`";
}

/** Builds the images of deploy/Dockerfile under a tag of their own. @param note is told what is being done */
export async function buildImages(tag: string, note: (line: string) => void): Promise<void> {
  // Where a proxy opens TLS, the build has to trust its authority as this process does.
  const authorities = process.env["NODE_EXTRA_CA_CERTS"];
  const secret = authorities === undefined ? [] : ["--secret", `id=ca,src=${authorities}`];
  for (const target of TARGETS) {
    note(`building the image of ${target}`);
    const image = ["--file", "deploy/Dockerfile", "--target", target, "--tag", imageOf(target, tag)];
    await docker(["build", ...image, ...secret, "."], BUILD_MS);
  }
}

export async function removeImages(tag: string): Promise<void> {
  await docker(["image", "rm", ...TARGETS.map((target) => imageOf(target, tag))]);
}

export function imageOf(target: ImageTarget, tag: string): string {
  return `gatehouse-${target}:${tag}`;
}
