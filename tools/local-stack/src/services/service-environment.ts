import { calledBy, EXAMPLES, type PerService, serviceNamed, SERVICES, urlVariableOf } from "@gatehouse/declarations";

/** The services that tools and tests name themselves; others are declared only. */
export type ServiceName = "auth" | "user" | "gateway";

/** The parts of one stack, as its services reach them. */
export interface StackAddresses {
  /** The ports of each service, one a replica. */
  readonly ports: PerService<readonly number[]>;
  /** The URL of each service's own role, by service. */
  readonly databaseUrls: Readonly<Record<string, string> & { auth: string; user: string }>;
  readonly natsUrl: string;
  /** Null: no Redis; limits count in memory. */
  readonly redisUrl: string | null;
}

/** Services other than the gateway listen on loopback and trust only its client address; the user's HOST and TRUSTED_PROXIES are the gateway's. */
const INNER = { HOST: "127.0.0.1", TRUSTED_PROXIES: "127.0.0.1/32,::1/128" };

/**
 * Returns the environment of one replica: what the user set, and over it the addresses of this stack. Each service gets the secrets that it
 * declares and no password of another service.
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

/** Returns the replicas' URLs as services read them: comma-separated. */
function urlsOf(ports: readonly number[]): string {
  return ports.map((port) => `http://127.0.0.1:${port}`).join(",");
}

/** Names that only some services may see, or that the stack decides. */
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
