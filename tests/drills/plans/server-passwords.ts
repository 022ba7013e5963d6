import type { ServiceName } from "@gatehouse/local-stack";
import { inventPasswords, inventSecret } from "@gatehouse/test-kit/system";
import { Redis } from "ioredis";
import { roll } from "../system/roll.ts";
import type { System } from "../system/system.ts";
import { type Chapter, type Drill, type Step, until } from "./plan.ts";

/** How soon a part is well again in the eyes of every gateway. */
const HEALTHY_WITHIN_SECONDS = 30;

/** The passwords of all users of NATS. A user has one, so the server is told first, and refuses each service until that is restarted. */
export function busChapter(): Chapter {
  const next = inventPasswords();
  const restart = (service: ServiceName, check?: (drill: Drill) => Promise<void>): Step => ({
    title: `restart ${service} with \`NATS_URL=nats://${service}:NEW@…\``,
    async run(drill) {
      const { system } = drill;
      const url = `nats://${next.credentialsOf(service)}@127.0.0.1:${system.servers.nats.port}`;
      await roll(system, service, { NATS_URL: url });
      await check?.(drill);
    },
  });
  return {
    name: "nats",
    steps: [
      {
        title: "restart nats-server with `NATS_AUTH_PASSWORD=NEW`, `NATS_USER_PASSWORD=NEW` and so on",
        async run({ system }) {
          Object.assign(system.natsEnvironment, next.environment);
          await system.servers.nats.restart();
        },
      },
      restart("auth"),
      restart("user"),
      restart("gateway", (drill) => untilHealthy(drill, "nats")),
    ],
  };
}

/** The password of Redis, of which it takes several. */
export function redisChapter(): Chapter {
  const password = inventSecret();
  const oldOf = ({ servers }: System) => decodeURIComponent(new URL(servers.redis.url).password);
  return {
    name: "redis",
    steps: [
      {
        title: "`redis-cli ACL SETUSER default '>NEW'`",
        run: ({ system }) => changeDefaultUser(system, oldOf(system), `>${password}`),
      },
      {
        title: "restart gateway with `REDIS_URL=redis://:NEW@…`",
        run: ({ system }) =>
          roll(system, "gateway", { REDIS_URL: `redis://:${password}@127.0.0.1:${system.servers.redis.port}` }),
      },
      {
        title: "`redis-cli ACL SETUSER default '<OLD'`",
        async run(drill) {
          const { system } = drill;
          await changeDefaultUser(system, password, `<${oldOf(system)}`);
          if (await isLetIn(system, oldOf(system))) throw new Error("the old password still opens Redis");
          await untilHealthy(drill, "redis");
        },
      },
    ],
  };
}

async function untilHealthy(drill: Drill, part: "nats" | "redis"): Promise<void> {
  for (const { name, url } of drill.system.services.gateway)
    await until(drill, `${name} does not find ${part} healthy`, HEALTHY_WITHIN_SECONDS, async () => {
      const response = await fetch(`${url}/health/detailed`);
      return ((await response.json()) as Record<string, string>)[part] === "healthy";
    });
}

async function changeDefaultUser(system: System, password: string, rule: string): Promise<void> {
  await withRedis(system, password, (redis) => redis.acl("SETUSER", "default", rule));
}

async function isLetIn(system: System, password: string): Promise<boolean> {
  return withRedis(system, password, (redis) => redis.ping()).then(
    () => true,
    () => false,
  );
}

async function withRedis(system: System, password: string, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const { port } = system.servers.redis;
  const redis = new Redis({ host: "127.0.0.1", port, password, lazyConnect: true, retryStrategy: () => null });
  // What is wrong fails the command in hand; without a listener it would be printed as well.
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    await work(redis);
  } finally {
    redis.disconnect();
  }
}
