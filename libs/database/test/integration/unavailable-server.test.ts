import { createFaultyLine, type FaultyLine } from "@gatehouse/test-kit";
import { translateDatabaseError } from "@gatehouse/database";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createThings, type TestThings } from "../fixtures/database.ts";

let things: TestThings;
let line: FaultyLine;
beforeAll(async () => {
  things = await createThings();
});
afterAll(() => things.end());
beforeEach(async () => {
  line = await createFaultyLine(things.ownerUrl);
});
afterEach(() => line.close());

const ask = (db: TestThings["db"]) => sql`select 1`.execute(db);

/** Without the pool's watch these queries would wait longer than a test may take. The unit test of the watch checks the times. */
async function failsAsUnavailable(work: () => Promise<unknown>): Promise<void> {
  await expect(work()).rejects.toSatisfy((error) => things.isUnavailable(error));
}

describe("PostgreSQL stops answering", () => {
  test("and a query on a held connection fails", async () => {
    const { db } = things.open({ url: line.url });
    await db
      .connection()
      .execute(async (connection) => {
        await ask(connection);
        line.silence();
        await failsAsUnavailable(() => ask(connection));
      })
      .catch((error: unknown) => expect(things.isUnavailable(error)).toBe(true));
    await line.restore();
    await ask(db);
  });

  test("and concurrent and waiting queries fail, until it answers again", async () => {
    const { db, stats } = things.open({ url: line.url, poolSize: 2, maxOverflow: 0, timeoutSeconds: 30 });
    await ask(db);
    line.silence();
    await Promise.all(Array.from({ length: 20 }, () => failsAsUnavailable(() => ask(db))));
    await line.restore();
    await expect
      .poll(() =>
        ask(db).then(
          () => "answered",
          () => "failed",
        ),
      )
      .toBe("answered");
    expect(stats().waiting).toBe(0);
  });

  test("and a process without a connection fails", async () => {
    line.silence();
    const { db } = things.open({ url: line.url });
    await failsAsUnavailable(() => ask(db));
    await failsAsUnavailable(() => db.transaction().execute(ask));
  });

  test("on idle connections only, and queries get other connections", async () => {
    const { db } = things.open({ url: line.url, poolSize: 4, maxOverflow: 0 });
    await Promise.all([ask(db), ask(db), ask(db)]);
    line.forgetConnections();
    // Longer than an idle connection is used without a check.
    await sql`select pg_sleep(1.1)`.execute(things.db);
    await Promise.all([ask(db), ask(db), ask(db), ask(db)]);
  });
});

describe("PostgreSQL stops", () => {
  test("and queries fail at once until it starts again", async () => {
    const lost: unknown[] = [];
    const logger = { debug() {}, warn: (fields: object) => void lost.push(fields) };
    const { db, ping, stats } = things.open({ url: line.url, logger });
    await ask(db);
    await line.hangUp();
    await expect.poll(() => stats().total).toBe(0);
    expect(lost).toHaveLength(1);
    await failsAsUnavailable(() => ask(db));
    await failsAsUnavailable(() => ping());
    await line.restore();
    await ask(db);
  });

  test("and a running transaction fails as unavailable", async () => {
    const { db } = things.open({ url: line.url });
    const failing = db.transaction().execute(async (trx) => {
      await ask(trx);
      await line.hangUp();
      await ask(trx);
    });
    await expect(failing).rejects.toSatisfy((error) => translateDatabaseError(error)?.status === 503);
  });
});

describe("a slow statement on a working server", () => {
  test("is not interrupted", async () => {
    const { db } = things.open({ url: line.url });
    const { rows } = await sql<{ slept: string }>`select pg_sleep(2.5)::text as slept`.execute(db);
    expect(rows).toHaveLength(1);
  });
});
