import { calledBy, EXAMPLES, type PerService, serviceNamed, SERVICES, urlVariableOf } from "@gatehouse/declarations";

/** The services that tools and tests name. */
export type ServiceName = "auth" | "user" | "gateway";

/** The addresses of a stack. */
export interface StackAddresses {
  /** One port for each replica. */
  readonly ports: PerService<readonly number[]>;
  /** The URL of each service's own role, by service. */
  readonly databaseUrls: Readonly<Record<string, string> & { auth: string; user: string }>;
  readonly natsUrl: string;
  /** Null without Redis: limits count in memory. */
  readonly redisUrl: string | null;
}

/** Only the gateway uses the given HOST and TRUSTED_PROXIES; the other services listen on loopback. */
const INNER = { HOST: "127.0.0.1", TRUSTED_PROXIES: "127.0.0.1/32,::1/128" };

/**
 * Returns the environment of one replica: the base with the addresses of this stack. Each service gets only the secrets that it declares.
 */
export function serviceEnvironment(
  name: string,
  base: NodeJS.ProcessEnv,
  { ports, databaseUrls, natsUrl, redisUrl }: StackAddresses,
  replica = 0,
): NodeJS.ProcessEnv {
  const service = serviceNamed(name);
  const { port, database, secrets, privateVariables = [], usesRedis, isEdge } = service;
  const called = calledBy(service).map((one) => [urlVariableOf(one), urlsOf(ports[one] ?? [])] as const);
  return {
    ...withoutPrivate(base),
    NATS_URL: natsUrl,
    ...(!isEdge && INNER),
    [port.variable]: String(ports[name]?.[replica]),
    ...(database && { [database.urlVariable]: databaseUrls[name] }),
    ...Object.fromEntries(called),
    ...(usesRedis && redisUrl !== null && { REDIS_URL: redisUrl }),
    ...pick(base, [...secrets, ...privateVariables]),
  };
}

function urlsOf(ports: readonly number[]): string {
  return ports.map((port) => `http://127.0.0.1:${port}`).join(",");
}

/** Variables that only some services get, or that the stack sets. */
const NOT_SHARED = new Set([
  ...["DATABASE_URL", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_HOST", "POSTGRES_PORT"],
  ...["REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "NATS_URL"],
  ...[...SERVICES, ...EXAMPLES].flatMap(({ name, database, secrets, privateVariables = [] }) => [
    urlVariableOf(name),
    ...(database ? [database.urlVariable] : []),
    ...secrets,
    ...privateVariables,
  ]),
]);

function withoutPrivate(base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(base).filter(([name]) => !NOT_SHARED.has(name)));
}

function pick(base: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(
    names.map((name) => [name, base[name]] as const).filter(([, value]) => value !== undefined),
  );
}
