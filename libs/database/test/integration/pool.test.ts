import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createThings, type TestThings } from "../fixtures/database.ts";

const TERMINATE_BACKEND = fileURLToPath(new URL("../fixtures/terminate-backend.ts", import.meta.url));

let things: TestThings;
beforeAll(async () => {
  things = await createThings();
});
afterAll(() => things.end());

type Db = TestThings["db"];

async function backendOf(db: Db): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]?.pid ?? 0;
}

/** Ends a connection of another pool and waits until the server closed it. */
async function terminate(pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid})`.execute(things.db);
  await expect.poll(() => livingBackends([pid])).toBe(0);
}

async function livingBackends(pids: readonly number[]): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from pg_stat_activity where pid = any(${pids})`.execute(things.db);
  return rows[0]?.count ?? 0;
}

/** Holds a connection until it is released. */
function hold(db: Db) {
  const held = Promise.withResolvers<number>();
  const release = Promise.withResolvers<void>();
  const done = db.connection().execute(async (connection) => {
    held.resolve(await backendOf(connection));
    await release.promise;
  });
  return {
    pid: held.promise,
    async letGo() {
      release.resolve();
      await done;
    },
  };
}

describe("an exhausted pool", () => {
  test("makes a query wait for the next free connection", async () => {
    const { db, stats } = things.open({ poolSize: 1, maxOverflow: 1 });
    const [one, two] = [hold(db), hold(db)];
    await Promise.all([one.pid, two.pid]);
    const third = backendOf(db);
    await expect.poll(() => stats().waiting).toBe(1);
    expect(stats()).toEqual({ total: 2, idle: 0, waiting: 1, max: 2 });
    await one.letGo();
    expect(await third).toBe(await one.pid);
    await two.letGo();
  });

  test("rejects a query after the time-out and continues to work", async () => {
    const { db, stats } = things.open({ poolSize: 1, maxOverflow: 0, timeoutSeconds: 0.05 });
    const one = hold(db);
    await one.pid;
    await expect(backendOf(db)).rejects.toMatchObject({ code: "ServiceUnavailable", retryAfter: 1 });
    expect(stats().waiting).toBe(0);
    await one.letGo();
    expect(await backendOf(db)).toBe(await one.pid);
  });

  test("serves many concurrent queries", async () => {
    const { db, stats } = things.open({ poolSize: 1, maxOverflow: 2 });
    const backends = await Promise.all(Array.from({ length: 200 }, () => backendOf(db)));
    expect(new Set(backends).size).toBeLessThanOrEqual(3);
    expect(stats().total).toBeLessThanOrEqual(3);
  });
});

describe("a lost connection", () => {
  test("while idle does not affect the next query", async () => {
    const { db } = things.open();
    const pid = await backendOf(db);
    await terminate(pid);
    expect(await backendOf(db)).not.toBe(pid);
  });

  test("during a busy event loop does not affect the next query", async () => {
    const { db } = things.open();
    const pid = await backendOf(db);
    // Returns when the server has ended the connection; the event loop is blocked meanwhile.
    execFileSync(process.execPath, [TERMINATE_BACKEND, things.ownerUrl, String(pid)]);
    expect(await backendOf(db)).not.toBe(pid);
  });

  test("does not fail concurrent queries when all idle connections are lost", async () => {
    const { db } = things.open({ poolSize: 4, maxOverflow: 0 });
    const holds = Array.from({ length: 4 }, () => hold(db));
    const pids = await Promise.all(holds.map(({ pid }) => pid));
    await Promise.all(holds.map(({ letGo }) => letGo()));
    for (const pid of pids) await terminate(pid);
    const backends = await Promise.all(Array.from({ length: 20 }, () => backendOf(db)));
    expect(backends.filter((pid) => pids.includes(pid))).toEqual([]);
  });

  test("in a transaction fails it as unavailable, and the pool continues to work", async () => {
    const { db } = things.open();
    const failing = db.transaction().execute(async (trx) => {
      await terminate(await backendOf(trx));
      await backendOf(trx);
    });
    await expect(failing).rejects.toSatisfy((error) => things.isUnavailable(error));
    expect(await backendOf(db)).toBeGreaterThan(0);
  });

  test("by age is replaced", async () => {
    const { db } = things.open({ poolSize: 1, maxOverflow: 0, recycleSeconds: 0.05 });
    const pid = await backendOf(db);
    await expect.poll(() => livingBackends([pid])).toBe(0);
    expect(await backendOf(db)).not.toBe(pid);
  });
});

describe("a closed pool", () => {
  test("has no connections, can be closed twice, and rejects queries", async () => {
    const database = things.open();
    const pid = await backendOf(database.db);
    await Promise.all([database.close(), database.close()]);
    await expect.poll(() => livingBackends([pid])).toBe(0);
    await expect(backendOf(database.db)).rejects.toSatisfy((error) => things.isUnavailable(error));
    await expect(database.ping()).rejects.toMatchObject({ code: "ServiceUnavailable" });
  });

  test("closes also when it was never used", async () => {
    await things.open().close();
  });
});

describe("ping", () => {
  test("succeeds while the database answers", async () => {
    await things.open().ping();
  });

  test("fails soon with an exhausted pool", async () => {
    const { db, ping } = things.open({ poolSize: 1, maxOverflow: 0, timeoutSeconds: 600 });
    const one = hold(db);
    await one.pid;
    await expect(ping()).rejects.toMatchObject({ code: "ServiceUnavailable" });
    await one.letGo();
    await ping();
  });
});
