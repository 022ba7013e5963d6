import { createRepository, lockAdvisory, tryLockAdvisory, violatedConstraint } from "@gatehouse/database";
import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createThings, type TestThings, type Things } from "../fixtures/database.ts";

interface Thing {
  readonly id: string;
  readonly name: string;
  readonly size: number | null;
  readonly madeAt: Date;
}

const repository = createRepository<Things, "things", Thing>({
  table: "things",
  toDomain: ({ id, name, size, made_at }) => ({ id, name, size, madeAt: made_at }),
});

let things: TestThings;
beforeAll(async () => {
  things = await createThings();
});
afterAll(() => things.end());
beforeEach(() => sql`truncate things`.execute(things.db));

const newThing = (name: string) => ({ id: randomUUID(), name, size: 1 });

describe("what happens to one row", () => {
  test("it is inserted, found, changed and removed, and comes back as the domain has it", async () => {
    const { db } = things;
    const values = newThing("one");
    const inserted = await repository.insert(db, values);
    expect(inserted).toEqual({ ...values, madeAt: expect.any(Date) });
    expect(await repository.findById(db, values.id)).toEqual(inserted);
    expect(await repository.update(db, values.id, { size: null })).toEqual({ ...inserted, size: null });
    expect(await repository.update(db, values.id, {})).toEqual({ ...inserted, size: null });
    expect(await repository.remove(db, values.id)).toBe(true);
    expect(await repository.remove(db, values.id)).toBe(false);
    expect(await repository.findById(db, values.id)).toBeUndefined();
    expect(await repository.update(db, values.id, { size: 2 })).toBeUndefined();
    expect(await repository.update(db, values.id, { name: undefined })).toBeUndefined();
  });

  test("one that the database refuses names the constraint", async () => {
    await repository.insert(things.db, newThing("same"));
    const second = repository.insert(things.db, newThing("same"));
    await expect(second).rejects.toSatisfy((error) => violatedConstraint(error) === "things_name_key");
  });
});

describe("what happens to many rows", () => {
  test("they are found in the order in which they were asked for, each as often", async () => {
    const { db } = things;
    const [one, two] = await repository.insertMany(db, [newThing("one"), newThing("two")]);
    if (!one || !two) throw new Error("two were inserted");
    const found = await repository.findMany(db, [two.id.toUpperCase(), randomUUID(), one.id, two.id]);
    expect(found.map(({ name }) => name)).toEqual(["two", "one", "two"]);
  });

  test("they are changed and removed, and counted", async () => {
    const { db } = things;
    const rows = await repository.insertMany(db, [newThing("one"), newThing("two"), newThing("three")]);
    const ids = [...rows.slice(0, 2).map(({ id }) => id), randomUUID()];
    expect(await repository.updateMany(db, ids, { size: 9 })).toBe(2);
    expect(await repository.updateMany(db, ids, {})).toBe(2);
    expect((await repository.findMany(db, ids)).map(({ size }) => size)).toEqual([9, 9]);
    expect(await repository.removeMany(db, ids)).toBe(2);
    expect(
      await repository.findMany(
        db,
        rows.map(({ id }) => id),
      ),
    ).toHaveLength(1);
  });

  test("none at all is no statement", async () => {
    const { db } = things;
    expect(await repository.insertMany(db, [])).toEqual([]);
    expect(await repository.findMany(db, [])).toEqual([]);
    expect(await repository.updateMany(db, [], { size: 1 })).toBe(0);
    expect(await repository.removeMany(db, [])).toBe(0);
  });

  test("more than one statement can carry are inserted, found and removed all the same", async () => {
    const { db } = things;
    const rows = Array.from({ length: 70_000 }, (_, index) => newThing(`thing ${index}`));
    const inserted = await repository.insertMany(db, rows);
    expect(inserted.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    const ids = rows.map(({ id }) => id);
    expect(await repository.findMany(db, ids)).toHaveLength(70_000);
    expect(await repository.removeMany(db, ids)).toBe(70_000);
  });

  test("when the last of them is refused none stays, in whatever statement it was", async () => {
    const { db } = things;
    const rows = Array.from({ length: 30_000 }, (_, index) => newThing(`thing ${index}`));
    await expect(repository.insertMany(db, [...rows, newThing("thing 0")])).rejects.toThrow("things_name_key");
    const { rows: counted } = await sql<{ count: number }>`select count(*) as count from things`.execute(db);
    expect(counted[0]?.count).toBe(0);
  });

  test("rows may differ in what they say", async () => {
    const madeAt = new Date("2026-01-02T03:04:05.678Z");
    const rows = [newThing("plain"), { ...newThing("dated"), made_at: madeAt }];
    const [plain, dated] = await repository.insertMany(things.db, rows);
    expect(dated?.madeAt).toEqual(madeAt);
    expect(plain?.madeAt).not.toEqual(madeAt);
  });
});

describe("what happens in the caller's transaction", () => {
  test("everything goes back with it", async () => {
    const { db } = things;
    const kept = await repository.insert(db, newThing("kept"));
    const failing = db.transaction().execute(async (trx) => {
      await repository.insertMany(trx, [newThing("one"), newThing("two")]);
      await repository.update(trx, kept.id, { size: 7 });
      await repository.removeMany(trx, [kept.id]);
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    expect(await repository.findById(db, kept.id)).toEqual(kept);
  });
});

describe("what happens when two transactions want one advisory lock", () => {
  test("the second is told so, or waits until the first has ended", async () => {
    const { db } = things;
    const order: string[] = [];
    const firstHasIt = Promise.withResolvers<void>();
    const firstMayEnd = Promise.withResolvers<void>();
    const first = db.transaction().execute(async (trx) => {
      await lockAdvisory(trx, "test.lock");
      firstHasIt.resolve();
      await firstMayEnd.promise;
      order.push("first");
    });
    await firstHasIt.promise;
    expect(await db.transaction().execute((trx) => tryLockAdvisory(trx, "test.lock"))).toBe(false);
    expect(await db.transaction().execute((trx) => tryLockAdvisory(trx, "test.other"))).toBe(true);
    const second = db.transaction().execute(async (trx) => {
      await lockAdvisory(trx, "test.lock");
      order.push("second");
    });
    await expect
      .poll(async () => {
        const waiting = await sql`select from pg_locks where locktype = 'advisory' and not granted`.execute(db);
        return waiting.rows.length;
      })
      .toBe(1);
    firstMayEnd.resolve();
    await Promise.all([first, second]);
    expect(order).toEqual(["first", "second"]);
  });
});
