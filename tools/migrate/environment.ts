import { databaseUrl, readEnvironment } from "@gatehouse/config";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { EXAMPLES, hasDatabase, SERVICES, type ServiceWithDatabase } from "@gatehouse/declarations";

/** A service with a schema, and the URL of its role. */
export interface MigratedService extends ServiceWithDatabase {
  readonly url: string;
}

/** All services with a schema, examples included. */
export const MIGRATED: readonly ServiceWithDatabase[] = [...SERVICES, ...EXAMPLES].filter(hasDatabase);

/** Returns the environment; `.env` adds variables that are not set. */
export function loadEnvironment(): NodeJS.ProcessEnv {
  const file = fileURLToPath(new URL("../../.env", import.meta.url));
  if (existsSync(file)) process.loadEnvFile(file);
  return process.env;
}

/** Returns the environment, and the URLs of the stack that runs in STACK_DIR for services whose URL is not set. */
export async function loadStackEnvironment(): Promise<NodeJS.ProcessEnv> {
  const environment = loadEnvironment();
  const dir = resolve(environment["STACK_DIR"] || ".stack");
  if (!existsSync(dir)) return environment;
  const { findAddresses } = await import("../start/addresses.ts");
  const urls: Readonly<Record<string, string>> = findAddresses(dir)?.databaseUrls ?? {};
  const found: NodeJS.ProcessEnv = {};
  for (const { name, database } of MIGRATED) if (urls[name]) found[database.urlVariable] = urls[name];
  return { ...found, ...environment };
}

/** @throws ConfigError with every missing or invalid URL */
export function servicesOf(environment: NodeJS.ProcessEnv, only: string | undefined): MigratedService[] {
  // A service that is not deployed, such as an example, is migrated when its URL is set or when `only` names it.
  const isMeant = ({ name, database, isDeployed }: ServiceWithDatabase) =>
    only === undefined ? isDeployed === true || Boolean(environment[database.urlVariable]) : name === only;
  const meant = MIGRATED.filter(isMeant);
  const variables = meant.map(({ database }) => database.urlVariable);
  const owner = ownerUrlOf(environment);
  const shape = {
    DATABASE_URL: databaseUrl().optional(),
    ...Object.fromEntries(variables.map((name) => [name, databaseUrl()])),
  };
  const urls: Readonly<Record<string, string | undefined>> = readEnvironment(shape, {
    ...environment,
    DATABASE_URL: owner,
  });
  return meant.map((service) => ({ ...service, url: urls[service.database.urlVariable] ?? "" }));
}

/** Returns DATABASE_URL, or the URL of POSTGRES_*; undefined when neither is set. */
export function ownerUrlOf(environment: NodeJS.ProcessEnv): string | undefined {
  if (environment["DATABASE_URL"]) return environment["DATABASE_URL"];
  const host = environment["POSTGRES_HOST"];
  if (!host) return undefined;
  const url = new URL("postgres://localhost");
  url.hostname = host;
  url.port = environment["POSTGRES_PORT"] || "5432";
  url.username = encodeURIComponent(environment["POSTGRES_USER"] || "postgres");
  url.password = encodeURIComponent(environment["POSTGRES_PASSWORD"] ?? "");
  url.pathname = `/${encodeURIComponent(environment["POSTGRES_DB"] || "gatehouse")}`;
  return url.href;
}
