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

/** Ends a connection of another pool and waits until the server has. */
async function terminate(pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid})`.execute(things.db);
  await expect.poll(() => livingBackends([pid])).toBe(0);
}

async function livingBackends(pids: readonly number[]): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from pg_stat_activity where pid = any(${pids})`.execute(things.db);
  return rows[0]?.count ?? 0;
}

/** Holds a connection until it is let go. */
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

describe("what happens when more is asked for than there are connections", () => {
  test("one waits for the next that becomes free", async () => {
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

  test("one that waits longer than the time-out is refused, and the pool serves on", async () => {
    const { db, stats } = things.open({ poolSize: 1, maxOverflow: 0, timeoutSeconds: 0.05 });
    const one = hold(db);
    await one.pid;
    await expect(backendOf(db)).rejects.toMatchObject({ code: "ServiceUnavailable", retryAfter: 1 });
    expect(stats().waiting).toBe(0);
    await one.letGo();
    expect(await backendOf(db)).toBe(await one.pid);
  });

  test("many at once all get their turn", async () => {
    const { db, stats } = things.open({ poolSize: 1, maxOverflow: 2 });
    const backends = await Promise.all(Array.from({ length: 200 }, () => backendOf(db)));
    expect(new Set(backends).size).toBeLessThanOrEqual(3);
    expect(stats().total).toBeLessThanOrEqual(3);
  });
});

describe("what happens when a connection ends", () => {
  test("while it is idle: the next query does not notice", async () => {
    const { db } = things.open();
    const pid = await backendOf(db);
    await terminate(pid);
    expect(await backendOf(db)).not.toBe(pid);
  });

  test("while this process is too busy to hear of it: the next query does not notice", async () => {
    const { db } = things.open();
    const pid = await backendOf(db);
    // Returns when the server has ended the connection; the event loop stood still meanwhile.
    execFileSync(process.execPath, [TERMINATE_BACKEND, things.ownerUrl, String(pid)]);
    expect(await backendOf(db)).not.toBe(pid);
  });

  test("all of them while idle: no query of a crowd fails", async () => {
    const { db } = things.open({ poolSize: 4, maxOverflow: 0 });
    const holds = Array.from({ length: 4 }, () => hold(db));
    const pids = await Promise.all(holds.map(({ pid }) => pid));
    await Promise.all(holds.map(({ letGo }) => letGo()));
    for (const pid of pids) await terminate(pid);
    const backends = await Promise.all(Array.from({ length: 20 }, () => backendOf(db)));
    expect(backends.filter((pid) => pids.includes(pid))).toEqual([]);
  });

  test("in the middle of a transaction: that one fails as unavailable, and the pool serves on", async () => {
    const { db } = things.open();
    const failing = db.transaction().execute(async (trx) => {
      await terminate(await backendOf(trx));
      await backendOf(trx);
    });
    await expect(failing).rejects.toSatisfy((error) => things.isUnavailable(error));
    expect(await backendOf(db)).toBeGreaterThan(0);
  });

  test("by its age: it is replaced", async () => {
    const { db } = things.open({ poolSize: 1, maxOverflow: 0, recycleSeconds: 0.05 });
    const pid = await backendOf(db);
    await expect.poll(() => livingBackends([pid])).toBe(0);
    expect(await backendOf(db)).not.toBe(pid);
  });
});

describe("what happens when the pool is closed", () => {
  test("its connections are gone, twice is once, and queries are refused", async () => {
    const database = things.open();
    const pid = await backendOf(database.db);
    await Promise.all([database.close(), database.close()]);
    await expect.poll(() => livingBackends([pid])).toBe(0);
    await expect(backendOf(database.db)).rejects.toSatisfy((error) => things.isUnavailable(error));
    await expect(database.ping()).rejects.toMatchObject({ code: "ServiceUnavailable" });
  });

  test("one that was never used closes as well", async () => {
    await things.open().close();
  });
});

describe("what happens when the database is asked whether it lives", () => {
  test("it says so", async () => {
    await things.open().ping();
  });

  test("an exhausted pool says no, and soon", async () => {
    const { db, ping } = things.open({ poolSize: 1, maxOverflow: 0, timeoutSeconds: 600 });
    const one = hold(db);
    await one.pid;
    await expect(ping()).rejects.toMatchObject({ code: "ServiceUnavailable" });
    await one.letGo();
    await ping();
  });
});
