import { databaseUrl, type ServiceName } from "@gatehouse/local-stack";
import { until } from "@gatehouse/test-kit/api";
import { inventPasswords, inventSecret, queryOnce } from "@gatehouse/test-kit/system";
import { Redis } from "ioredis";
import type { Drill, Procedure, Step } from "../plan.ts";
import { authEnvironment, type DrillSystem, restartRolling, runPnpm } from "../system.ts";

/** Connections to PostgreSQL live five seconds, so that pools open new ones in every step. */
export const SECRETS_ENVIRONMENT = { DB_POOL_RECYCLE: "5" };

const HEALTHY_WITHIN_MS = 30_000;

/** A rotation of every secret and password. Each proves that the old value does not work any more. */
export function secretProcedures(): readonly Procedure[] {
  return [
    rotateSigningSecret(),
    rotateToken("internal-token", "INTERNAL_API_TOKEN", ["user"], {
      method: "PATCH",
      path: "/internal/accounts/00000000-0000-7000-8000-000000000000",
      body: "{}",
    }),
    rotateToken("introspection-token", "INTROSPECTION_TOKEN", ["user", "gateway"], {
      ...{ method: "POST", path: "/internal/introspect", body: '{"tokens":[]}' },
    }),
    rotateRole("auth", "AUTH_DATABASE_URL"),
    rotateRole("user", "USER_DATABASE_URL"),
    rotateOwner(),
    rotateBus(),
    rotateRedis(),
  ];
}

type SecretName = keyof DrillSystem["secrets"];

/** Returns a maker of steps that restart a service with the secret's values in the given order. */
function createSecretSteps(name: SecretName, next: string = inventSecret()) {
  return (
    list: "OLD,NEW" | "NEW,OLD" | "NEW",
    service: ServiceName,
    check?: (old: string, system: DrillSystem) => unknown,
  ) =>
    step(`restart ${service} with \`${name}=${list}\``, async ({ system }) => {
      const old = system.secrets[name];
      await restartRolling(system, service, { [name]: list.replace("OLD", old).replace("NEW", next) });
      await check?.(old, system);
    });
}

const step = (title: string, run: Step["run"]): Step => ({ title, run });

/** JWT_SECRET_KEY encrypts the private halves of the signing keys in the database. */
function rotateSigningSecret(): Procedure {
  const restart = createSecretSteps("JWT_SECRET_KEY");
  const reseal = step("`pnpm ops keys reseal`", async ({ system }) => {
    const { keys } = await runPnpm<{ keys: number }>("ops", ["keys", "reseal"], authEnvironment(system));
    if (keys === 0) throw new Error("there are no keys");
  });
  const steps = [restart("OLD,NEW", "auth"), restart("NEW,OLD", "auth"), reseal, restart("NEW", "auth")];
  return { name: "jwt-secret", steps };
}

/** A token with which auth authenticates its callers. */
function rotateToken(
  name: string,
  variable: SecretName,
  callers: readonly ServiceName[],
  { path, ...request }: { method: string; path: string; body: string },
): Procedure {
  const next = inventSecret();
  const restart = createSecretSteps(variable, next);
  const check = async (old: string, { services }: DrillSystem) => {
    for (const { name: replica, url } of services.auth)
      for (const value of [old, next]) {
        const headers = { authorization: `Bearer ${value}`, "content-type": "application/json" };
        const { status } = await fetch(`${url}${path}`, { ...request, headers });
        if ((status === 401) !== (value === old))
          throw new Error(`${replica} returned ${status} to the ${value === old ? "old" : "new"} token`);
      }
  };
  const steps = callers.map((service) => restart("NEW", service));
  return { name, steps: [restart("OLD,NEW", "auth"), ...steps, restart("NEW", "auth", check)] };
}

/** A role has one password, so the service changes to a second login of its role, and the first one is disabled. */
function rotateRole(service: "auth" | "user", variable: string): Procedure {
  const first = `gatehouse_${service}`;
  const second = { role: `${first}_b`, password: inventSecret() };
  const setting = `\`${variable}=postgres://${second.role}:NEW@…\``;
  const environment = ({ servers }: DrillSystem) => ({
    [variable]: databaseUrl(servers.postgres.url, "gatehouse", second),
  });
  const disable = `alter role ${first} nologin password null`;
  return {
    name: `${service}-database`,
    steps: [
      step(`\`pnpm migrate up\` with ${setting}`, ({ system }) => migrate(system, environment(system))),
      step(`restart ${service} with ${setting}`, ({ system }) => restartRolling(system, service, environment(system))),
      step(`\`psql "$DATABASE_URL" -c "${disable}"\``, async ({ system: { databaseUrls, servers } }) => {
        await queryOnce(databaseUrls.owner, disable);
        await assertRejected(databaseUrls[service]);
        // Open connections outlive their role's login and would hide a forgotten process.
        const open = `select from pg_stat_activity where usename = '${first}'`;
        const { length } = await queryOnce(servers.postgres.url, open);
        if (length > 0) throw new Error(`${first} still has ${length} open connections`);
      }),
    ],
  };
}

/** The password of the owner, which no service knows. */
function rotateOwner(): Procedure {
  const password = inventSecret();
  return {
    name: "database-owner",
    steps: [
      step("`psql \"$DATABASE_URL\" -c '\\password'`", async ({ system: { databaseUrls } }) => {
        await queryOnce(databaseUrls.owner, `alter role current_user password '${password}'`);
        await assertRejected(databaseUrls.owner);
      }),
      step("`pnpm migrate up` with `DATABASE_URL=postgres://OWNER:NEW@…`", ({ system }) => {
        const { owner } = system.databaseUrls;
        const role = new URL(owner).username;
        return migrate(system, { DATABASE_URL: databaseUrl(owner, "gatehouse", { role, password }) });
      }),
    ],
  };
}

async function migrate({ services, databaseUrls }: DrillSystem, environment: NodeJS.ProcessEnv): Promise<void> {
  const urls = [...services.auth, ...services.user].map((one) => one.environment());
  await runPnpm("migrate", ["up"], { ...Object.assign({}, ...urls), DATABASE_URL: databaseUrls.owner, ...environment });
}

async function assertRejected(url: string): Promise<void> {
  const code = await queryOnce(url, "select").then(
    () => "",
    (error: { code?: string }) => error.code,
  );
  if (code !== "28P01" && code !== "28000") throw new Error("the old password still opens the database");
}

/** A NATS user has one password: nats-server changes first and rejects each service until its restart. */
function rotateBus(): Procedure {
  const next = inventPasswords();
  const server = "restart nats-server with `NATS_AUTH_PASSWORD=NEW`, `NATS_USER_PASSWORD=NEW` and so on";
  return {
    name: "nats",
    steps: [
      step(server, async ({ system }) => {
        Object.assign(system.natsEnvironment, next.environment);
        await system.servers.nats.restart();
      }),
      ...(["auth", "user", "gateway"] as const).map((service) =>
        step(`restart ${service} with \`NATS_URL=nats://${service}:NEW@…\``, async (drill) => {
          const url = `nats://${next.credentialsOf(service)}@127.0.0.1:${drill.system.servers.nats.port}`;
          await restartRolling(drill.system, service, { NATS_URL: url });
          if (service === "gateway") await untilHealthy(drill, "nats");
        }),
      ),
    ],
  };
}

/** Redis accepts several passwords. */
function rotateRedis(): Procedure {
  const next = inventSecret();
  const oldOf = ({ servers }: DrillSystem) => decodeURIComponent(new URL(servers.redis.url).password);
  const setUser = (system: DrillSystem, password: string, rule: string) =>
    withRedis(system, password, (redis) => redis.acl("SETUSER", "default", rule));
  return {
    name: "redis",
    steps: [
      step("`redis-cli ACL SETUSER default '>NEW'`", ({ system }) => setUser(system, oldOf(system), `>${next}`)),
      step("restart gateway with `REDIS_URL=redis://:NEW@…`", ({ system }) =>
        restartRolling(system, "gateway", { REDIS_URL: `redis://:${next}@127.0.0.1:${system.servers.redis.port}` }),
      ),
      step("`redis-cli ACL SETUSER default '<OLD'`", async (drill) => {
        const old = oldOf(drill.system);
        await setUser(drill.system, next, `<${old}`);
        const ping = withRedis(drill.system, old, (redis) => redis.ping());
        if ((await Promise.allSettled([ping]))[0].status === "fulfilled")
          throw new Error("the old password still opens Redis");
        await untilHealthy(drill, "redis");
      }),
    ],
  };
}

async function withRedis(system: DrillSystem, password: string, work: (redis: Redis) => Promise<unknown>) {
  const { port } = system.servers.redis;
  const redis = new Redis({ host: "127.0.0.1", port, password, lazyConnect: true, retryStrategy: () => null });
  // An error fails the command; without a listener ioredis would also print it.
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    await work(redis);
  } finally {
    redis.disconnect();
  }
}

async function untilHealthy({ system, signal }: Drill, part: "nats" | "redis"): Promise<void> {
  for (const { name, url } of system.services.gateway) {
    const isHealthy = async () => {
      const health = (await (await fetch(`${url}/health/detailed`)).json()) as Record<string, string>;
      return health[part] === "healthy";
    };
    await until(isHealthy, HEALTHY_WITHIN_MS, { what: `${name} reports ${part} as healthy`, everyMs: 250, signal });
  }
}
