export type ServiceName = "auth" | "user" | "gateway";

/** Where the parts of one stack are, seen from its services. */
export interface StackAddresses {
  /** Of each service, one a replica. */
  readonly ports: Readonly<Record<ServiceName, readonly number[]>>;
  readonly databaseUrls: { readonly auth: string; readonly user: string };
  readonly natsUrl: string;
  /** Null: there is none, limits count in memory. */
  readonly redisUrl: string | null;
}

/** Services are reached by the gateway only, on loopback, and believe the client's address from nobody else; HOST and TRUSTED_PROXIES as the user set them are the gateway's. */
const INNER = { HOST: "127.0.0.1", TRUSTED_PROXIES: "127.0.0.1/32,::1/128" };

const GATEWAY_SECRETS = ["INTROSPECTION_TOKEN"];
const USER_SECRETS = ["INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN"];
const AUTH_SECRETS = [...USER_SECRETS, "JWT_SECRET_KEY", "FIRST_ADMIN_EMAIL", "FIRST_ADMIN_PASSWORD"];

/**
 * The environment of one replica of a service: what the user set, secrets included, and over it where everything of this stack
 * is. Each gets what it reads and no other service's password.
 */
export function serviceEnvironment(
  service: ServiceName,
  base: NodeJS.ProcessEnv,
  { ports, databaseUrls, natsUrl, redisUrl }: StackAddresses,
  replica = 0,
): NodeJS.ProcessEnv {
  const shared = { ...withoutForeignSecrets(base), NATS_URL: natsUrl };
  const port = String(ports[service][replica]);
  const [authUrl, userUrl] = [urlsOf(ports.auth), urlsOf(ports.user)];
  switch (service) {
    case "auth": {
      const own = { AUTH_PORT: port, AUTH_DATABASE_URL: databaseUrls.auth };
      return { ...shared, ...INNER, ...own, ...pick(base, AUTH_SECRETS) };
    }
    case "user": {
      const own = { USER_PORT: port, USER_DATABASE_URL: databaseUrls.user, AUTH_URL: authUrl };
      return { ...shared, ...INNER, ...own, ...pick(base, USER_SECRETS) };
    }
    case "gateway": {
      const redis = redisUrl === null ? {} : { REDIS_URL: redisUrl };
      const own = { GATEWAY_PORT: port, AUTH_URL: authUrl, USER_URL: userUrl, ...redis };
      return { ...shared, ...own, ...pick(base, GATEWAY_SECRETS) };
    }
  }
}

/** Replicas as the services read them: comma-separated. */
function urlsOf(ports: readonly number[]): string {
  return ports.map((port) => `http://127.0.0.1:${port}`).join(",");
}

/** Names that only some services may see, or that this stack decides. */
const NOT_SHARED = new Set([
  ...["DATABASE_URL", "AUTH_DATABASE_URL", "USER_DATABASE_URL"],
  ...["POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_HOST", "POSTGRES_PORT"],
  ...["REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"],
  ...AUTH_SECRETS,
  ...["AUTH_URL", "USER_URL", "NATS_URL"],
]);

function withoutForeignSecrets(base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(base).filter(([name]) => !NOT_SHARED.has(name)));
}

function pick(base: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(
    names.map((name) => [name, base[name]] as const).filter(([, value]) => value !== undefined),
  );
}
