import type { Kysely } from "kysely";
import {
  applyIfNewer,
  createBatchedApply,
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

test("what happens to changes that are applied side by side: as one by one, in one statement where they can", async () => {
  await sql`truncate things`.execute(db);
  await sql`alter table things add constraint short check (length(name) < 10)`.execute(db);
  await sql`insert into things values ('b', 'old', 3), ('c', 'old', null), ('d', 'old', 1)`.execute(db);
  const apply = createBatchedApply(db, { table: "things", versionColumn: "seen" });
  const name = (id: string, version: number, value: string | null) => apply({ id, version, set: { name: value } });
  const outcomes = [
    name("b", 3, "same"),
    name("c", 1, "one"),
    name("c", 2, "two"),
    name("nobody", 1, "missing"),
    name("d", 2, "far too long a name"),
    apply({ id: "d", version: 3, set: {} }),
  ];
  expect(
    (await Promise.allSettled(outcomes)).map((one) => (one.status === "fulfilled" ? one.value : one.reason.constraint)),
  ).toEqual(["stale", "applied", "applied", "missing", "short", "applied"]);
  // Without the one that is refused, of two for the same row the newer is written and the other passed over.
  expect(await Promise.all([name("b", 5, "five"), name("b", 4, "four"), name("c", 4, null)])).toEqual([
    "applied",
    "stale",
    "applied",
  ]);
  const rows = await db.selectFrom("things").selectAll().orderBy("id").execute();
  expect(rows).toEqual([
    { id: "b", name: "five", seen: 5 },
    { id: "c", name: null, seen: 4 },
    { id: "d", name: "old", seen: 3 },
  ]);
  await sql`alter table things drop constraint short`.execute(db);
});

test("what happens to batches of two replicas that meet: the newest stays, and none waits for ever", async () => {
  const ids = Array.from({ length: 50 }, (_, index) => `row-${index}`);
  await db
    .insertInto("things")
    .values(ids.map((id) => ({ id, name: null, seen: 0 })))
    .execute();
  const replicas = [1, 2, 3].map(() => createBatchedApply(db, { table: "things", versionColumn: "seen" }));
  const versions = Array.from({ length: 20 }, (_, index) => index + 1);
  const outcomes = await Promise.all(
    replicas.flatMap((apply, replica) =>
      versions.flatMap((version) =>
        (replica === 1 ? ids.toReversed() : ids).map((id) => apply({ id, version, set: { name: `v${version}` } })),
      ),
    ),
  );
  expect(outcomes.filter((outcome) => outcome === "applied").length).toBeGreaterThanOrEqual(ids.length);
  const behind = db
    .selectFrom("things")
    .select("id")
    .where("id", "like", "row-%")
    .where("name", "is distinct from", "v20");
  expect(await behind.execute()).toEqual([]);
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
