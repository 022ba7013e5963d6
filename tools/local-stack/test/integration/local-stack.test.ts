import { answers, databaseUrl, freePort, identify, isAlive, startLocalStack } from "../../src/index.ts";
import { createServer } from "node:net";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { lookEmbedded } from "../../src/providers/providers.ts";
import { startServer } from "../../src/servers/server.ts";
import type { Part, RunningServer } from "../../src/servers/types.ts";
import { scratchFolder } from "../fixtures/scratch.ts";

/** Starts a stack in `dir`, stopped at the end of the test. */
function startStack(dir: string, environment: NodeJS.ProcessEnv = {}) {
  const log: string[] = [];
  const servers = new Map<Part, RunningServer>();
  const stack = startLocalStack({
    dir,
    environment: { PATH: process.env["PATH"], ...environment },
    ownerPassword: "owner's",
    log: (line) => log.push(line),
    onStarted: (part, server) => servers.set(part, server),
  });
  const stop = async () => {
    await Promise.allSettled([stack.postgres(), stack.nats(), stack.redis()]);
    await Promise.all([...servers.values()].map((server) => server.stop()));
  };
  onTestFinished(stop);
  return { ...stack, log, servers, stop };
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

test("a stack that starts again has its data and its ports", async () => {
  const dir = scratchFolder();
  const first = startStack(dir, { POSTGRES_USER: "owner", REDIS_PASSWORD: "kept secret" });
  const url = await first.postgres();
  expect(url).toMatch(/^postgres:\/\/owner:owner's@127\.0\.0\.1:\d+\/gatehouse$/);
  await query(databaseUrl(url, "postgres"), "create database gatehouse");
  await query(url, "create table kept as select 1 as one");
  expect(await answers((first.servers.get("nats") as RunningServer).port, "", "INFO ")).toBe(true);
  const redis = await first.redis();
  expect(redis).toContain(":kept%20secret@");
  expect(await answers(Number(new URL(redis as string).port), "PING\r\n", "-NOAUTH")).toBe(true);
  expect(first.log.filter((line) => /^(PostgreSQL|NATS|Redis): .*, on port \d+$/.test(line))).toHaveLength(3);
  await first.stop();
  expect(await first.servers.get("postgres")?.ended).toBe("exit code 0");

  const second = startStack(dir, { POSTGRES_USER: "owner" });
  expect(await query(await second.postgres(), "select * from kept")).toEqual([{ one: 1 }]);
  await Promise.all([second.nats(), second.redis()]);
  const portsOf = ({ servers }: typeof first) => [...servers].map(([part, { port }]) => `${part} ${port}`).toSorted();
  expect(portsOf(second)).toEqual(portsOf(first));
});

test("a stack whose URLs the environment sets starts no server", async () => {
  const given = { DATABASE_URL: "postgres://o@db/x", NATS_URL: "nats://n:4222", REDIS_URL: "redis://r:6379" };
  const { postgres, nats, redis, log } = startStack(scratchFolder(), given);
  expect([await postgres(), await nats(), await redis()]).toEqual(Object.values(given));
  expect(log.toSorted()).toEqual([
    "NATS: NATS_URL of the environment",
    "PostgreSQL: DATABASE_URL of the environment",
    "Redis: REDIS_URL of the environment",
  ]);
});

test("a port that is in use fails the start with an error that names it", async () => {
  const port = await freePort();
  const squatter = createServer().listen(port, "127.0.0.1");
  await once(squatter, "listening");
  onTestFinished(() => void squatter.close());
  const given = { NATS_URL: "nats://n:4222", DATABASE_URL: "postgres://o@db/x" };
  const { redis } = startStack(scratchFolder(), { ...given, REDIS_PORT: String(port) });
  await expect(redis()).rejects.toThrow(`Port ${port} for Redis is in use by another program`);
});

test("an interrupted start rejects and leaves no server running", async () => {
  const controller = new AbortController();
  const servers: RunningServer[] = [];
  const stack = startLocalStack({
    dir: scratchFolder(),
    environment: { PATH: process.env["PATH"] },
    ownerPassword: "x",
    log: () => controller.abort(new Error("interrupted")),
    signal: controller.signal,
    onStarted: (_part, server) => servers.push(server),
  });
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.stop()))));
  const ends = await Promise.allSettled([stack.postgres(), stack.nats(), stack.redis()]);
  expect(ends.some(({ status }) => status === "rejected")).toBe(true);
  for (const end of ends) if (end.status === "rejected") expect(String(end.reason)).toContain("interrupted");
  expect(servers.length).toBe(ends.filter(({ status }) => status === "fulfilled").length);
});

test("PostgreSQL starts on the data of a killed run", async () => {
  const source = await programOfPostgres();
  const folder = scratchFolder();
  const start = async (durable = true) => {
    const server = await startServer("postgres", source, { folder, durable });
    onTestFinished(() => server.stop());
    return server;
  };
  const pidFile = join(folder, "data", "postmaster.pid");
  const postmaster = async () => identify(Number.parseInt(await readFile(pidFile, "utf8"), 10));

  // A server that still runs is ended first: two servers on the same data would destroy them.
  const left = await start();
  const before = await postmaster();
  const next = await start();
  expect(await left.ended).toBe("exit code 0");
  expect(before && isAlive(before)).toBe(false);
  expect(await query(next.url, "select 1 as one")).toEqual([{ one: 1 }]);
  await next.stop();

  // A lock with the number of another program does not prevent the start, and that program keeps running.
  await writeFile(pidFile, `${process.pid}\n${join(folder, "data")}\n`);
  const third = await start(false);
  expect(await query(third.url, "select 1 as one")).toEqual([{ one: 1 }]);
  await third.stop();

  await rm(join(folder, "superuser-password"));
  await expect(start()).rejects.toThrow("Start empty with --fresh");
});

/** Returns the embedded PostgreSQL, whichever this run uses. */
async function programOfPostgres() {
  const look = await lookEmbedded("postgres");
  if (!("source" in look) || look.source.kind !== "program") throw new Error("no embedded PostgreSQL");
  return look.source;
}
