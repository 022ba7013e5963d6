import { type RecordedTelemetry, recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { openContext, runInContext } from "@gatehouse/observability";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { createDatabase, Database } from "@gatehouse/database";
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

/** A pool that is created after telemetry started. */
function openRecorded(options: Partial<Parameters<typeof createDatabase>[0]> = {}, recording = { sampled: true }) {
  const telemetry = recordTelemetry(recording);
  recorded = telemetry;
  return { ...things.open({ schema: "public", applicationName: "recorded", ...options }), telemetry };
}

/** A pool with an open connection, so that no query waits for one. */
async function openReady(...how: Parameters<typeof openRecorded>) {
  const opened = openRecorded(...how);
  await opened.ping();
  return opened;
}

/** Handles a request that is sampled as given. */
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

describe("a recorded request", () => {
  test("has a span for a statement with operation, table and server, without parameters", async () => {
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

  test("has no constants of a statement in its spans", async () => {
    const { db, telemetry } = await openReady();
    await request(() => sql`select id from things where name = ${sql.lit(SECRET)}`.execute(db));
    expect(statementsOf(telemetry)[0]?.attributes).toMatchObject({
      "db.query.text": "select id from things where name = ?",
    });
  });

  test("has spans for begin, statements and commit in order", async () => {
    const { db, telemetry } = await openReady();
    await request(() => db.transaction().execute((trx) => insertThing(trx, "a")));
    expect(statementsOf(telemetry).map(({ name }) => name)).toEqual(["BEGIN", "INSERT public.things", "COMMIT"]);
  });

  test("has the SQLSTATE of a violated constraint, without the message", async () => {
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

  test("has a span for the wait for a connection, before the statement", async () => {
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

  test("has a failed span and no statement when it gets no connection", async () => {
    const { db, telemetry } = await openReady({ poolSize: 1, maxOverflow: 0, timeoutSeconds: 0.02 });
    await db.connection().execute(async () => {
      await expect(request(() => sql`select 1`.execute(db))).rejects.toMatchObject({ code: "ServiceUnavailable" });
    });
    expect(statementsOf(telemetry)).toEqual([]);
    const failed = { status: { code: SpanStatusCode.ERROR }, attributes: { "error.type": "ServiceUnavailable" } };
    expect(waitsOf(telemetry)).toMatchObject([failed]);
  });

  test("has the error of a failed connection attempt", async () => {
    const { db, telemetry } = openRecorded({ url: "postgres://nobody@127.0.0.1:1/none" });
    await expect(request(() => sql`select 1`.execute(db))).rejects.toMatchObject({ code: "ServiceUnavailable" });
    expect(waitsOf(telemetry)).toMatchObject([{ attributes: { "error.type": "ECONNREFUSED" } }]);
  });
});

describe("no span is recorded for", () => {
  test("a statement outside a request", async () => {
    const { db, telemetry } = await openReady();
    await db.transaction().execute((trx) => insertThing(trx, "a"));
    expect(telemetry.spans()).toEqual([]);
  });

  test("a request that is not sampled", async () => {
    const { db, telemetry } = await openReady({}, { sampled: false });
    await request(() => insertThing(db, "a"));
    expect(telemetry.spans()).toEqual([]);
  });
});

describe("metrics", () => {
  const durations = async (telemetry: RecordedTelemetry) =>
    (await telemetry.points("db.client.operation.duration")).map(({ attributes, value }) => ({
      operation: attributes["db.operation.name"],
      collection: attributes["db.collection.name"],
      summary: attributes["db.query.summary"],
      error: attributes["error.type"],
      count: (value as { count: number }).count,
    }));

  test("count statements by operation, table and error, also of jobs", async () => {
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

  test("measure used and idle connections, waiting requests, their wait and time-outs", async () => {
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
    // The ping of openReady and two held connections; the fourth request timed out.
    expect(await valueOf("db.client.connection.wait_time")).toMatchObject({ count: 3 });

    await close();
    // No longer observed: the SDK reports the last value.
    expect(stats().total).toBe(0);
    expect(await connections("idle")).toBe(2);
  });
});
