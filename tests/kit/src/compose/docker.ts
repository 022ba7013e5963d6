import { runCommand, runOrThrow } from "@gatehouse/local-stack";

const TARGETS = ["gateway", "auth", "user", "tools"] as const;
export type ImageTarget = (typeof TARGETS)[number];

const BUILD_MS = 900_000;

/** Runs docker to its end. @returns its standard output @throws Error with its standard error when it fails */
export async function docker(args: readonly string[], withinMs = 120_000): Promise<string> {
  return runOrThrow("docker", args, { ...process.env, DOCKER_BUILDKIT: "1" }, { withinMs });
}

/** Returns the command of Compose on this machine, or, as text, why there is none. */
export async function findCompose(): Promise<readonly [command: string, ...args: string[]] | string> {
  const runs = async (command: string, ...args: readonly string[]) =>
    (await runCommand(command, args, { environment: process.env })).ok;
  if (!(await runs("docker", "info", "--format", "{{.ServerVersion}}"))) return "no Docker engine replies";
  if (await runs("docker", "compose", "version")) return ["docker", "compose"];
  if (await runs("docker-compose", "version")) return ["docker-compose"];
  return "there is neither `docker compose` nor `docker-compose`";
}

/** Builds the images of deploy/Dockerfile under `tag`. @param note gets the progress */
export async function buildImages(tag: string, note: (line: string) => void): Promise<void> {
  // Behind a proxy that terminates TLS, the build trusts the authority that this process trusts.
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
