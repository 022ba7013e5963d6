import { databaseUrl, identify, isAlive, startLocalStack } from "../../src/index.ts";
import { createServer } from "node:net";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../src/process/free-port.ts";
import { lookEmbedded } from "../../src/providers/embedded.ts";
import type { Part, RunningServer } from "../../src/servers/running-server.ts";
import { answers } from "../../src/servers/answers.ts";
import { startPostgresServer } from "../../src/servers/postgres-server.ts";
import { scratchFolder } from "../fixtures/scratch.ts";

/** A stack in `dir`, stopped with the test at the latest. */
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

test("what happens when a stack starts, stops and starts again: its data are there", async () => {
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
});

test("what happens when everything is given by the environment: nothing is started", async () => {
  const given = { DATABASE_URL: "postgres://o@db/x", NATS_URL: "nats://n:4222", REDIS_URL: "redis://r:6379" };
  const { postgres, nats, redis, log } = startStack(scratchFolder(), given);
  expect([await postgres(), await nats(), await redis()]).toEqual(Object.values(given));
  expect(log.toSorted()).toEqual([
    "NATS: NATS_URL of the environment",
    "PostgreSQL: DATABASE_URL of the environment",
    "Redis: REDIS_URL of the environment",
  ]);
});

test("what happens when the wanted port is taken: the error names it", async () => {
  const port = await freePort();
  const squatter = createServer().listen(port, "127.0.0.1");
  await once(squatter, "listening");
  onTestFinished(() => void squatter.close());
  const given = { NATS_URL: "nats://n:4222", DATABASE_URL: "postgres://o@db/x" };
  const { redis } = startStack(scratchFolder(), { ...given, REDIS_PORT: String(port) });
  await expect(redis()).rejects.toThrow(`Port ${port}, wanted for Redis, is in use by another program`);
});

test("what happens when whoever starts a stack is interrupted: it is told so, and no server is left", async () => {
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

test("what happens to PostgreSQL after a run was killed", async () => {
  const source = await programOfPostgres();
  const folder = scratchFolder();
  const start = async (durable = true) => {
    const server = await startPostgresServer(source, { folder, durable });
    onTestFinished(() => server.stop());
    return server;
  };
  const pidFile = join(folder, "data", "postmaster.pid");
  const postmaster = async () => identify(Number.parseInt(await readFile(pidFile, "utf8"), 10));

  // One that still runs is ended before the next begins: two on the same data would ruin them.
  const left = await start();
  const before = await postmaster();
  const next = await start();
  expect(await left.ended).toBe("exit code 0");
  expect(before && isAlive(before)).toBe(false);
  expect(await query(next.url, "select 1 as one")).toEqual([{ one: 1 }]);
  await next.stop();

  // A lock whose number some other program has by now does not keep it from starting, and that program lives on.
  await writeFile(pidFile, `${process.pid}\n${join(folder, "data")}\n`);
  const third = await start(false);
  expect(await query(third.url, "select 1 as one")).toEqual([{ one: 1 }]);
  await third.stop();

  await rm(join(folder, "superuser-password"));
  await expect(start()).rejects.toThrow("begin anew with --fresh");
});

/** The PostgreSQL that the packages bring along, whatever this run uses. */
async function programOfPostgres() {
  const look = await lookEmbedded("postgres");
  if (!("source" in look) || look.source.kind !== "program") throw new Error("no embedded PostgreSQL");
  return look.source;
}
