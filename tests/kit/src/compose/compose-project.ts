import { answersReady, freePort, runOrThrow } from "@gatehouse/local-stack";
import { randomBytes, randomInt } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { docker } from "./docker.ts";

const UP_MS = 300_000;
const PROFILES = ["scale", "ops"];

/** compose.yml, brought up under a name, ports and networks of its own. All of it is text, so that it can be handed to another process. */
export interface ComposeProject {
  readonly compose: readonly [command: string, ...args: string[]];
  readonly folder: string;
  readonly gatewayUrl: string;
  /** Of the profile `scale`. */
  readonly proxyUrl: string;
}

/**
 * Prepares a project whose images have `tag`; nothing runs yet.
 * @param compose the command of Compose
 * @param variables over those that deploy/new-env makes
 */
export async function createComposeProject(
  compose: ComposeProject["compose"],
  tag: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<ComposeProject> {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-compose-"));
  const file = join(folder, "compose.env");
  await runOrThrow("deploy/new-env", [file], process.env);
  const [gateway, proxy] = [await freePort(), await freePort()];
  // An even third number and the next one, of a range that home routers and Docker itself leave alone.
  const network = randomInt(0, 120) * 2;
  const own = {
    GATEHOUSE_VERSION: tag,
    GATEWAY_PORT: String(gateway),
    PROXY_PORT: String(proxy),
    FRONT_SUBNET: `10.213.${network}.0/24`,
    SERVICES_SUBNET: `10.213.${network + 1}.0/24`,
    ...variables,
  };
  // The last one counts.
  appendFileSync(
    file,
    Object.entries(own)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  const [command, ...args] = compose;
  const name = `gatehouse-test-${randomBytes(4).toString("hex")}`;
  return {
    compose: [command, ...args, "--env-file", file, "--project-name", name],
    folder,
    gatewayUrl: `http://127.0.0.1:${gateway}`,
    proxyUrl: `http://127.0.0.1:${proxy}`,
  };
}

/** Runs Compose on a project. @returns what it wrote to standard output @throws with what it said when it failed */
export async function runCompose({ compose }: ComposeProject, ...args: readonly string[]): Promise<string> {
  const [command, ...first] = compose;
  return runOrThrow(command, [...first, ...args], process.env, { withinMs: UP_MS });
}

/** Brings up what the profiles have, and waits until `url` says that it is ready; no longer than until the signal. */
export async function bringUp(
  project: ComposeProject,
  url: string,
  signal: AbortSignal,
  ...profiles: readonly string[]
): Promise<void> {
  await runCompose(project, ...profiles.flatMap((profile) => ["--profile", profile]), "up", "--detach");
  await untilReady(url, signal);
}

/** Ends everything, and removes its data. */
export async function bringDown(project: ComposeProject): Promise<void> {
  const profiles = PROFILES.flatMap((profile) => ["--profile", profile]);
  await runCompose(project, ...profiles, "down", "--volumes", "--remove-orphans");
  rmSync(project.folder, { recursive: true, force: true });
}

/** The id of a service's container, also of one that has stopped. */
export async function containerOf(project: ComposeProject, service: string): Promise<string> {
  const id = await runCompose(project, "--profile", "scale", "ps", "--all", "--quiet", service);
  if (id === "") throw new Error(`${service} has no container`);
  return id;
}

/** A value of `docker inspect`, by a template of Go such as `{{.State.ExitCode}}`. */
export async function inspect(container: string, template: string): Promise<string> {
  return docker(["inspect", "--format", template, container]);
}

async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await answersReady(url))) {
    signal.throwIfAborted();
    if (performance.now() > deadline) throw new Error(`${url} was not ready within 60 s`);
    await delay(100);
  }
}
