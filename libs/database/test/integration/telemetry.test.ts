import { type RecordedTelemetry, recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { openContext, runInContext } from "@gatehouse/observability";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Database, DatabaseOptions } from "@gatehouse/database";
import { createThings, type TestThings, type Things } from "../fixtures/database.ts";

const ID = "0192f0c1-2b3c-7d4e-8f90-1234567890ab";
const SECRET = "alice@example.com";

let things: TestThings;
let recorded: RecordedTelemetry | undefined;
beforeAll(async () => {
  things = await createThings();
});
afterEach(async () => {
  await recorded?.stop();
  recorded = undefined;
  await things.db.deleteFrom("things").execute();
});
afterAll(() => things.end());

/** A pool that is recorded from its beginning. */
function openRecorded(options: Partial<DatabaseOptions> = {}, recording = { sampled: true }) {
  const telemetry = recordTelemetry(recording);
  recorded = telemetry;
  return { ...things.open({ schema: "public", applicationName: "recorded", ...options }), telemetry };
}

/** One with an open connection, so that nothing waits for it by chance. */
async function openReady(...how: Parameters<typeof openRecorded>) {
  const opened = openRecorded(...how);
  await opened.ping();
  return opened;
}

/** Handles a request that is traced as the sampler wants it. */
async function request<R>(work: () => Promise<R>): Promise<R> {
  const span = { name: "GET /things", kind: SpanKind.SERVER };
  const context = openContext({ correlationId: "order-66", traceparent: undefined, span });
  try {
    return await runInContext(context, work);
  } finally {
    context.span?.end();
  }
}

const insertThing = (db: Database<Things>["db"], name: string) =>
  db.insertInto("things").values({ id: ID, name, size: 66_066 }).execute();

const STATEMENTS = /^(?!GET|wait)/;
const statementsOf = (telemetry: RecordedTelemetry) => telemetry.spans().filter(({ name }) => STATEMENTS.test(name));
const waitsOf = (telemetry: RecordedTelemetry) => telemetry.spans().filter(({ name }) => name.startsWith("wait"));

describe("what a trace shows when its request", () => {
  test("runs a statement: what is done to which table, where, and none of its parameters", async () => {
    const { db, telemetry } = await openReady();
    await request(() => insertThing(db, SECRET));
    const [statement] = statementsOf(telemetry);
    const own = telemetry.spans().find(({ name }) => name === "GET /things");
    const { hostname, port, pathname } = new URL(things.ownerUrl);
    expect(statement?.parentSpanContext?.spanId).toBe(own?.spanContext().spanId);
    expect(statement).toMatchObject({ name: "INSERT public.things", kind: SpanKind.CLIENT });
    expect(statement?.attributes).toEqual({
      "db.system.name": "postgresql",
      "db.namespace": `${pathname.slice(1)}|public`,
      "db.operation.name": "INSERT",
      "db.collection.name": "public.things",
      "db.query.summary": "INSERT public.things",
      "db.query.text": `insert into "things" ("id", "name", "size") values ($1, $2, $3)`,
      "server.address": hostname,
      "server.port": Number(port),
    });
    const exported = JSON.stringify(
      telemetry.spans().map(({ name, attributes, events }) => [name, attributes, events]),
    );
    for (const parameter of [ID, SECRET, "66066"]) expect(exported).not.toContain(parameter);
  });

  test("runs one that somebody wrote with a constant in it: not the constant either", async () => {
    const { db, telemetry } = await openReady();
    await request(() => sql`select id from things where name = ${sql.lit(SECRET)}`.execute(db));
    expect(statementsOf(telemetry)[0]?.attributes).toMatchObject({
      "db.query.text": "select id from things where name = ?",
    });
  });

  test("runs a transaction: its beginning, its statements and its end, in that order", async () => {
    const { db, telemetry } = await openReady();
    await request(() => db.transaction().execute((trx) => insertThing(trx, "a")));
    expect(statementsOf(telemetry).map(({ name }) => name)).toEqual(["BEGIN", "INSERT public.things", "COMMIT"]);
  });

  test("violates a constraint: the statement has failed with the state that the server said, and none of its words", async () => {
    const { db, telemetry } = await openReady();
    await insertThing(things.db, SECRET);
    const failing = request(() => db.transaction().execute((trx) => insertThing(trx, SECRET)));
    await expect(failing).rejects.toMatchObject({ code: "23505" });
    const [begin, insert, rollback] = statementsOf(telemetry);
    expect(insert).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { "error.type": "23505", "db.response.status_code": "23505" },
    });
    expect(rollback).toMatchObject({ name: "ROLLBACK", status: { code: SpanStatusCode.UNSET } });
    expect(begin?.attributes).not.toHaveProperty("error.type");
    const exported = JSON.stringify(telemetry.spans().map((span) => [span.attributes, span.status, span.events]));
    expect(exported).not.toContain(SECRET);
  });

  test("waits for a connection: for how long, before its statement", async () => {
    const { db, telemetry, stats } = await openReady({ poolSize: 1, maxOverflow: 0 });
    const holding = Promise.withResolvers<void>();
    const held = db.connection().execute(async (connection) => {
      await holding.promise;
      await sql`select pg_sleep(0.01)`.execute(connection);
    });
    await request(async () => {
      const waiting = sql`select 1`.execute(db);
      await expect.poll(() => stats().waiting).toBe(1);
      holding.resolve();
      await waiting;
    });
    await held;
    const [wait] = waitsOf(telemetry);
    const [statement] = statementsOf(telemetry);
    expect(wait).toMatchObject({
      name: "wait for a connection",
      kind: SpanKind.INTERNAL,
      status: { code: SpanStatusCode.UNSET },
      attributes: { "db.client.connection.pool.name": "recorded" },
    });
    expect(wait?.parentSpanContext).toEqual(statement?.parentSpanContext);
    const inMs = ([seconds, nanoseconds]: readonly [number, number]) => seconds * 1e3 + nanoseconds / 1e6;
    expect(inMs(wait?.duration ?? [0, 0])).toBeGreaterThan(9);
    expect(inMs(wait?.endTime ?? [0, 0])).toBeLessThanOrEqual(inMs(statement?.startTime ?? [0, 0]) + 1);
  });

  test("gets no connection: that it waited in vain, and no statement", async () => {
    const { db, telemetry } = await openReady({ poolSize: 1, maxOverflow: 0, timeoutSeconds: 0.02 });
    await db.connection().execute(async () => {
      await expect(request(() => sql`select 1`.execute(db))).rejects.toMatchObject({ code: "ServiceUnavailable" });
    });
    expect(statementsOf(telemetry)).toEqual([]);
    const failed = { status: { code: SpanStatusCode.ERROR }, attributes: { "error.type": "ServiceUnavailable" } };
    expect(waitsOf(telemetry)).toMatchObject([failed]);
  });

  test("finds nobody at the server's address: how connecting failed", async () => {
    const { db, telemetry } = openRecorded({ url: "postgres://nobody@127.0.0.1:1/none" });
    await expect(request(() => sql`select 1`.execute(db))).rejects.toMatchObject({ code: "ServiceUnavailable" });
    expect(waitsOf(telemetry)).toMatchObject([{ attributes: { "error.type": "ECONNREFUSED" } }]);
  });
});

describe("what is not traced", () => {
  test("a statement outside a request: of a job, of the relay", async () => {
    const { db, telemetry } = await openReady();
    await db.transaction().execute((trx) => insertThing(trx, "a"));
    expect(telemetry.spans()).toEqual([]);
  });

  test("a request that the sampler left out", async () => {
    const { db, telemetry } = await openReady({}, { sampled: false });
    await request(() => insertThing(db, "a"));
    expect(telemetry.spans()).toEqual([]);
  });
});

describe("what the metrics say of", () => {
  const durations = async (telemetry: RecordedTelemetry) =>
    (await telemetry.points("db.client.operation.duration")).map(({ attributes, value }) => ({
      operation: attributes["db.operation.name"],
      collection: attributes["db.collection.name"],
      summary: attributes["db.query.summary"],
      error: attributes["error.type"],
      count: (value as { count: number }).count,
    }));

  test("statements: how many there were by operation and table, and how they failed, of jobs as well", async () => {
    const { db, telemetry } = await openReady();
    await insertThing(db, SECRET);
    await request(() => insertThing(db, SECRET)).catch(() => {});
    await db.selectFrom("things").select("id").where("id", "=", ID).execute();
    await db.selectFrom("things").select("name").where("name", "=", SECRET).execute();
    const insert = { operation: "INSERT", collection: "public.things", summary: "INSERT public.things", count: 1 };
    expect(await durations(telemetry)).toEqual([
      { operation: "SELECT", collection: undefined, summary: "SELECT", error: undefined, count: 1 }, // the ping of openReady
      { ...insert, error: undefined },
      { ...insert, error: "23505" },
      { ...insert, operation: "SELECT", summary: "SELECT public.things", error: undefined, count: 2 },
    ]);
    expect(JSON.stringify(await telemetry.points("db.client.operation.duration"))).not.toContain(SECRET);
  });

  test("the pool: connections used and idle, who waits, for how long, and in vain", async () => {
    const { db, telemetry, stats, close } = await openReady({ poolSize: 1, maxOverflow: 1, timeoutSeconds: 0.5 });
    const pool = { "db.client.connection.pool.name": "recorded" };
    const valueOf = async (metric: string, more = {}) =>
      (await telemetry.points(metric)).find(
        ({ attributes }) => JSON.stringify(attributes) === JSON.stringify({ ...pool, ...more }),
      )?.value;
    const connections = async (state: string) =>
      valueOf("db.client.connection.count", { "db.client.connection.state": state });

    await db.connection().execute(async () => {
      expect([await connections("used"), await connections("idle")]).toEqual([1, 0]);
      await db.connection().execute(async () => {
        const waiting = sql`select 1`.execute(db);
        await expect.poll(() => stats().waiting).toBe(1);
        expect(await valueOf("db.client.connection.pending_requests")).toBe(1);
        await expect(waiting).rejects.toMatchObject({ code: "ServiceUnavailable" });
      });
    });
    expect([await connections("used"), await connections("idle")]).toEqual([0, 2]);
    expect(await valueOf("db.client.connection.max")).toBe(2);
    expect(await valueOf("db.client.connection.timeouts")).toBe(1);
    // The ping of openReady and two that were held; the one in vain is a time-out.
    expect(await valueOf("db.client.connection.wait_time")).toMatchObject({ count: 3 });

    await close();
    // Not looked at any more: what the SDK tells is what it saw last.
    expect(stats().total).toBe(0);
    expect(await connections("idle")).toBe(2);
  });
});
