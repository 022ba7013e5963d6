import { databaseUrl, readEnvironment } from "@gatehouse/config";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SERVICE_SCHEMAS, type ServiceSchema } from "./services.ts";

/** A service's schema and the URL of its role. */
export interface MigratedService extends ServiceSchema {
  readonly url: string;
}

/** What the environment says, with what `.env` adds to it. */
export function loadEnvironment(): NodeJS.ProcessEnv {
  const file = fileURLToPath(new URL("../../.env", import.meta.url));
  if (existsSync(file)) process.loadEnvFile(file);
  return process.env;
}

/** @throws ConfigError naming every URL that is missing or wrong */
export function servicesOf(environment: NodeJS.ProcessEnv, only: ServiceSchema["name"] | undefined): MigratedService[] {
  const isMeant = ({ name, isExample = false, urlVariable }: ServiceSchema) =>
    only === undefined ? !isExample || Boolean(environment[urlVariable]) : name === only;
  const meant = SERVICE_SCHEMAS.filter(isMeant);
  const variables = meant.map(({ urlVariable }) => urlVariable);
  const owner = ownerUrlOf(environment);
  const shape = {
    DATABASE_URL: databaseUrl().optional(),
    ...Object.fromEntries(variables.map((name) => [name, databaseUrl()])),
  };
  const urls: Readonly<Record<string, string | undefined>> = readEnvironment(shape, {
    ...environment,
    DATABASE_URL: owner,
  });
  return meant.map((service) => ({ ...service, url: urls[service.urlVariable] ?? "" }));
}

/** DATABASE_URL, or the URL that its pieces make; undefined where roles and schemas are made by other means. */
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
