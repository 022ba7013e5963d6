import type { Kysely } from "kysely";
import {
  applyIfNewer,
  createInboxTableV1,
  dropInboxTableV1,
  dropMessagingTablesV1,
  handleOnce,
  type MessagingTables,
  once,
  trimInbox,
} from "@gatehouse/messaging";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMessagingDatabase, type MessagingDatabase, someEvent } from "../fixtures/messaging.ts";

interface Tables extends MessagingTables {
  things: { id: string; name: string | null; seen: number | null };
}

let database: MessagingDatabase;
let db: Kysely<Tables>;
beforeAll(async () => {
  database = await createMessagingDatabase();
  db = database.db;
  await sql`create table things (id text primary key, name text, seen integer)`.execute(db);
});
afterAll(() => database.drop());

test("what happens to versions that come in any order: the newest stays", async () => {
  const apply = (version: number, name: string | null) =>
    applyIfNewer(db, { table: "things", id: "a", versionColumn: "seen", version, set: { name } });
  expect(await apply(1, "one")).toBe("missing");
  await db.insertInto("things").values({ id: "a", name: "new", seen: null }).execute();
  expect(await apply(2, "two")).toBe("applied");
  expect(await apply(1, "one")).toBe("stale");
  expect(await apply(2, "another two")).toBe("stale");
  expect(await apply(5, null)).toBe("applied");
  expect(await db.selectFrom("things").selectAll().execute()).toEqual([{ id: "a", name: null, seen: 5 }]);
});

test("what happens to the handling of an event by two at once: one does it, and a rollback leaves it to the next", async () => {
  const firstHasIt = Promise.withResolvers<void>();
  const finishFirst = Promise.withResolvers<void>();
  const first = db.transaction().execute(async (trx) => {
    expect(await handleOnce(trx, "c", "event")).toBe(true);
    firstHasIt.resolve();
    await finishFirst.promise;
    throw new Error("rolled back");
  });
  await firstHasIt.promise;
  const second = db.transaction().execute((trx) => handleOnce(trx, "c", "event"));
  finishFirst.resolve();
  await expect(first).rejects.toThrow("rolled back");
  expect(await second).toBe(true);
  expect(await handleOnce(db, "c", "event")).toBe(false);
  expect(await handleOnce(db, "another", "event")).toBe(true);
});

test("what happens to a handler that takes effect once: neither a failure nor a repetition nor a race leaves half of it", async () => {
  let fails = true;
  const handle = once(db, "once", async (trx, event) => {
    await trx.insertInto("things").values({ id: event.id, name: event.type, seen: null }).execute();
    if (fails) throw new Error("after its effect");
  });
  const event = someEvent();
  const info = { stream: "AUTH_EVENTS", sequence: 1, storedAt: new Date(), attempt: 1 };
  await expect(handle(event, info)).rejects.toThrow("after its effect");
  const effects = () => db.selectFrom("things").select("name").where("id", "=", event.id).execute();
  expect(await effects()).toEqual([]);
  fails = false;
  await Promise.all([handle(event, info), handle(event, info), handle(event, info)]);
  expect(await effects()).toEqual([{ name: event.type }]);
});

test("what happens to what was handled long ago: it is forgotten", async () => {
  await sql`truncate inbox`.execute(db);
  await sql`insert into inbox (consumer, event_id, handled_at)
    select 'c', g::text, now() - interval '9 days' from generate_series(1, 6000) g`.execute(db);
  await handleOnce(db, "c", "young");
  expect(await trimInbox(db, new Date(Date.now() - 8 * 86_400_000))).toBe(6_000);
  expect(await db.selectFrom("inbox").select("event_id").execute()).toEqual([{ event_id: "young" }]);
});

test("what happens when the tables are dropped: nothing is left", async () => {
  const other = await createMessagingDatabase();
  await dropMessagingTablesV1(other.db);
  const { rows } = await sql`select 1 from pg_tables where schemaname = 'public'`.execute(other.db);
  expect(rows).toEqual([]);
  await createInboxTableV1(other.db);
  expect(await handleOnce(other.db, "c", "event")).toBe(true);
  await dropInboxTableV1(other.db);
  await expect(handleOnce(other.db, "c", "event")).rejects.toMatchObject({ code: "42P01" });
  await other.drop();
});
