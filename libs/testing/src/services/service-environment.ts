export type ServiceName = "auth" | "user" | "gateway";

/** Where the parts of one stack are, seen from its services. */
export interface StackAddresses {
  readonly ports: Readonly<Record<ServiceName, number>>;
  readonly databaseUrls: { readonly auth: string; readonly user: string };
  readonly natsUrl: string;
  /** Null: there is none, limits count in memory. */
  readonly redisUrl: string | null;
}

const LOOPBACK = "127.0.0.1/32,::1/128";

/**
 * The environment of one service: what the user set, secrets included, and over it where everything of this stack is.
 * Each gets what it reads and no other service's password.
 */
export function serviceEnvironment(
  service: ServiceName,
  base: NodeJS.ProcessEnv,
  { ports, databaseUrls, natsUrl, redisUrl }: StackAddresses,
): NodeJS.ProcessEnv {
  const shared = { ...withoutForeignSecrets(base), NATS_URL: natsUrl };
  const authUrl = `http://127.0.0.1:${ports.auth}`;
  const userUrl = `http://127.0.0.1:${ports.user}`;
  switch (service) {
    // Both believe the client's address from the gateway only, which is on loopback; what the user trusts is the gateway's.
    case "auth": {
      const own = { AUTH_PORT: String(ports.auth), AUTH_DATABASE_URL: databaseUrls.auth, TRUSTED_PROXIES: LOOPBACK };
      return {
        ...shared,
        ...own,
        ...pick(base, ["JWT_SECRET_KEY", "INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN"]),
        ...pick(base, ["FIRST_ADMIN_EMAIL", "FIRST_ADMIN_PASSWORD"]),
      };
    }
    case "user": {
      const own = { USER_PORT: String(ports.user), USER_DATABASE_URL: databaseUrls.user, TRUSTED_PROXIES: LOOPBACK };
      return { ...shared, ...own, AUTH_URL: authUrl, ...pick(base, ["INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN"]) };
    }
    case "gateway": {
      const redis = redisUrl === null ? {} : { REDIS_URL: redisUrl };
      const own = { GATEWAY_PORT: String(ports.gateway), AUTH_URL: authUrl, USER_URL: userUrl, ...redis };
      return { ...shared, ...own, ...pick(base, ["INTROSPECTION_TOKEN"]) };
    }
  }
}

/** Names that only some services may see, or that this stack decides. */
const NOT_SHARED = new Set([
  ...["DATABASE_URL", "AUTH_DATABASE_URL", "USER_DATABASE_URL"],
  ...["POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_HOST", "POSTGRES_PORT"],
  ...["REDIS_URL", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD"],
  ...["JWT_SECRET_KEY", "INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN", "FIRST_ADMIN_EMAIL", "FIRST_ADMIN_PASSWORD"],
  ...["AUTH_URL", "USER_URL", "NATS_URL"],
]);

function withoutForeignSecrets(base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(base).filter(([name]) => !NOT_SHARED.has(name)));
}

function pick(base: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.map((name) => [name, base[name]]).filter(([, value]) => value !== undefined));
}
