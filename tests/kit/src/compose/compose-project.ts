import { answersReady, freePort, runOrThrow } from "@gatehouse/local-stack";
import { randomBytes, randomInt } from "node:crypto";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../api/people.ts";
import { docker } from "./docker.ts";

const UP_MS = 300_000;

/** compose.yml under its own name, ports and networks. Plain data, so that it can be passed to another process. */
export interface ComposeProject {
  readonly compose: readonly [command: string, ...args: string[]];
  readonly folder: string;
  readonly gatewayUrl: string;
  /** Of the profile `scale`. */
  readonly proxyUrl: string;
}

/**
 * Creates a project with the images of `tag`, without starting it.
 * @param compose the command of Compose
 * @param variables override those of deploy/new-env
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
  // Two networks in a range that home routers and Docker itself do not use.
  const network = randomInt(0, 120) * 2;
  const own = {
    GATEHOUSE_VERSION: tag,
    GATEWAY_PORT: String(gateway),
    PROXY_PORT: String(proxy),
    FRONT_SUBNET: `10.213.${network}.0/24`,
    SERVICES_SUBNET: `10.213.${network + 1}.0/24`,
    ...variables,
  };
  // The last value of a variable counts.
  for (const [name, value] of Object.entries(own)) appendFileSync(file, `${name}=${value}\n`);
  const name = `gatehouse-test-${randomBytes(4).toString("hex")}`;
  return {
    compose: [...compose, "--env-file", file, "--project-name", name],
    folder,
    gatewayUrl: `http://127.0.0.1:${gateway}`,
    proxyUrl: `http://127.0.0.1:${proxy}`,
  };
}

/** Runs Compose on a project. @returns its standard output @throws Error with its standard error when it fails */
export async function runCompose({ compose }: ComposeProject, ...args: readonly string[]): Promise<string> {
  const [command, ...first] = compose;
  return runOrThrow(command, [...first, ...args], process.env, { withinMs: UP_MS });
}

/** Starts the services of the profiles and waits until `url` is ready. @throws Error after 60 s, or when the signal aborts */
export async function bringUp(
  project: ComposeProject,
  url: string,
  signal: AbortSignal,
  ...profiles: readonly string[]
): Promise<void> {
  await runCompose(project, ...profiles.flatMap((profile) => ["--profile", profile]), "up", "--detach");
  await until(() => answersReady(url), 60_000, { what: `${url} ready`, everyMs: 100, signal });
}

/** Stops everything and removes its data. */
export async function bringDown(project: ComposeProject): Promise<void> {
  await runCompose(project, "--profile", "scale", "--profile", "ops", "down", "--volumes", "--remove-orphans");
  rmSync(project.folder, { recursive: true, force: true });
}

/** Returns the id of a service's container, also of a stopped one. */
export async function containerOf(project: ComposeProject, service: string): Promise<string> {
  const id = await runCompose(project, "--profile", "scale", "ps", "--all", "--quiet", service);
  if (id === "") throw new Error(`${service} has no container`);
  return id;
}

/** Returns a value of `docker inspect`, by a Go template such as `{{.State.ExitCode}}`. */
export async function inspect(container: string, template: string): Promise<string> {
  return docker(["inspect", "--format", template, container]);
}
