import type { Part } from "../servers/running-server.ts";
import type { Look } from "./provider.ts";

/** Looks for a part's URL in the environment: the URL itself, else its pieces when at least the host is given. */
export function lookInEnvironment(part: Part, environment: NodeJS.ProcessEnv): Look {
  const value = (name: string) => (environment[name] === "" ? undefined : environment[name]);
  const found = READERS[part](value);
  return found === undefined
    ? { reason: `${VARIABLES[part]} not set` }
    : { source: { kind: "url", url: found, label: `${VARIABLES[part].split(" ")[0]} of the environment` } };
}

const VARIABLES: Record<Part, string> = {
  postgres: "DATABASE_URL (or POSTGRES_HOST)",
  nats: "NATS_URL",
  redis: "REDIS_URL (or REDIS_HOST)",
};

type Value = (name: string) => string | undefined;

const READERS: Record<Part, (value: Value) => string | undefined> = {
  postgres: (value) => value("DATABASE_URL") ?? postgresFromPieces(value),
  nats: (value) => value("NATS_URL"),
  redis: (value) => value("REDIS_URL") ?? redisFromPieces(value),
};

function postgresFromPieces(value: Value): string | undefined {
  const host = value("POSTGRES_HOST");
  if (host === undefined) return undefined;
  const user = encodeURIComponent(value("POSTGRES_USER") ?? "postgres");
  const password = value("POSTGRES_PASSWORD");
  const credentials = password === undefined ? user : `${user}:${encodeURIComponent(password)}`;
  return `postgres://${credentials}@${host}:${value("POSTGRES_PORT") ?? "5432"}/${value("POSTGRES_DB") ?? "gatehouse"}`;
}

function redisFromPieces(value: Value): string | undefined {
  const host = value("REDIS_HOST");
  if (host === undefined) return undefined;
  const password = value("REDIS_PASSWORD");
  const credentials = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return `redis://${credentials}${host}:${value("REDIS_PORT") ?? "6379"}`;
}
