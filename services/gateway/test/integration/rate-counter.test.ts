import type { RestartableServer } from "@gatehouse/local-stack";
import { createTestRedis } from "@gatehouse/test-kit";
import { createLogger } from "@gatehouse/observability";
import { once } from "node:events";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createRateCounter } from "../../src/services/limits/rate-counter.ts";
import { connectRedis, type RedisConnection } from "../../src/services/limits/redis.ts";

const logger = createLogger({ service: "test", level: "silent" });
let redis: RestartableServer;
const connections: RedisConnection[] = [];
beforeAll(async () => {
  redis = await createTestRedis();
});
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
});
afterAll(() => redis.stop());

function connect(url: string): RedisConnection {
  const connection = connectRedis({ url, logger });
  connections.push(connection);
  return connection;
}

async function connectReady(url: string): Promise<RedisConnection> {
  const connection = connect(url);
  await becomesReady(connection);
  return connection;
}

async function becomesReady(connection: RedisConnection): Promise<void> {
  if (!connection.isReady()) await next(connection, "ready");
}

/** `once` of node:events would fail on the errors that reconnecting brings. */
function next(connection: RedisConnection, event: "ready" | "close" | "connect"): Promise<void> {
  return new Promise((resolve) => void connection.client.once(event, () => resolve()));
}

describe("counting in Redis", () => {
  it("counts requests of several gateways together until the window ends", async () => {
    const rate = { limit: 3, seconds: 60 };
    const first = createRateCounter({ name: "together", rate, redis: await connectReady(redis.url) });
    const second = createRateCounter({ name: "together", rate, redis: await connectReady(redis.url) });
    expect(await first("a")).toMatchObject({ limit: 3, remaining: 2, exceeded: false });
    expect(await second("a")).toMatchObject({ remaining: 1 });
    expect(await first("a")).toMatchObject({ remaining: 0, exceeded: false });
    const refused = await second("a");
    expect(refused).toMatchObject({ remaining: 0, exceeded: true });
    expect(refused.resetSeconds).toBeGreaterThan(0);
    expect(refused.resetSeconds).toBeLessThanOrEqual(60);
    expect(await first("b")).toMatchObject({ remaining: 2 });
  });

  it("continues in memory while Redis is down, and in Redis when it is up", async () => {
    const connection = await connectReady(redis.url);
    const count = createRateCounter({ name: "down", rate: { limit: 10, seconds: 60 }, redis: connection });
    expect(await count("a")).toMatchObject({ remaining: 9 });
    expect(await count("a")).toMatchObject({ remaining: 8 });

    const closed = next(connection, "close");
    await redis.stop();
    await closed;
    expect(connection.isReady()).toBe(false);
    expect(await count("a")).toMatchObject({ remaining: 9 });
    expect(await count("a")).toMatchObject({ remaining: 8 });
    expect(await count("a")).toMatchObject({ remaining: 7 });

    await redis.start({ wipe: true });
    await becomesReady(connection);
    // Redis has lost its counts and memory has not: a fresh count comes from Redis.
    expect(await count("a")).toMatchObject({ remaining: 9 });
  });

  it("fails no request while Redis stops", async () => {
    const connection = await connectReady(redis.url);
    const count = createRateCounter({ name: "moment", rate: { limit: 1_000, seconds: 60 }, redis: connection });
    const stopping = redis.stop();
    const counts: Promise<unknown>[] = [];
    for (let turn = 0; turn < 50; turn++) {
      counts.push(count("a"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await expect(Promise.all(counts)).resolves.toHaveLength(50);
    await stopping;
    await redis.start();
  });

  it("starts without Redis and uses it when it is up", async () => {
    await redis.stop();
    const connection = connect(redis.url);
    const count = createRateCounter({ name: "late", rate: { limit: 5, seconds: 60 }, redis: connection });
    expect(await count("a")).toMatchObject({ remaining: 4 });
    expect(await count("a")).toMatchObject({ remaining: 3 });
    await redis.start({ wipe: true });
    await becomesReady(connection);
    expect(await count("a")).toMatchObject({ remaining: 4 });
  });

  it("rejects a key over the limit without asking Redis again", async () => {
    const connection = await connectReady(redis.url);
    const count = createRateCounter({ name: "blocked", rate: { limit: 1, seconds: 60 }, redis: connection });
    await count("a");
    await count("a");
    await connection.client.flushall();
    expect(await count("a")).toMatchObject({ exceeded: true });
  });
});

describe("a Redis that stops responding", () => {
  it("delays only the current request, and is used again when it responds", async () => {
    const relay = await startRelay(redis.port);
    try {
      const connection = await connectReady(`redis://127.0.0.1:${relay.port}`);
      const count = createRateCounter({ name: "silent", rate: { limit: 10, seconds: 60 }, redis: connection });
      expect(await count("a")).toMatchObject({ remaining: 9 });
      expect(await count("a")).toMatchObject({ remaining: 8 });

      relay.mute(true);
      const givenUp = next(connection, "close");
      expect(await count("a")).toMatchObject({ remaining: 9 });
      await givenUp;
      expect(connection.isReady()).toBe(false);
      expect(await count("a")).toMatchObject({ remaining: 8 });

      relay.mute(false);
      await becomesReady(connection);
      expect((await count("a")).remaining).toBeLessThan(8);
    } finally {
      relay.close();
    }
  });
});

/** A proxy to Redis that can stop forwarding without closing connections. */
async function startRelay(target: number) {
  const sockets = new Set<Socket>();
  let muted = false;
  const server = createServer((client) => {
    const upstream = createConnection(target, "127.0.0.1");
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => void (muted || to.write(chunk)));
      from.on("error", () => undefined).on("close", () => to.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    mute: (silent: boolean) => void (muted = silent),
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
