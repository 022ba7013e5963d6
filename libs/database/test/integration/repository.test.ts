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

describe("repository", () => {
  test("inserts, finds, changes and deletes a row, and returns it as the domain type", async () => {
    const { db } = things;
    const values = newThing("one");
    const inserted = await repository.insert(db, values);
    expect(inserted).toEqual({ ...values, madeAt: expect.any(Date) });
    expect(await repository.findById(db, values.id)).toEqual(inserted);
    expect(await repository.set(db, values.id, { size: null })).toEqual({ ...inserted, size: null });
    expect(await repository.set(db, values.id, {})).toEqual({ ...inserted, size: null });
    expect(await repository.delete(db, values.id)).toBe(true);
    expect(await repository.delete(db, values.id)).toBe(false);
    expect(await repository.findById(db, values.id)).toBeUndefined();
    expect(await repository.set(db, values.id, { size: 2 })).toBeUndefined();
    expect(await repository.set(db, values.id, { name: undefined })).toBeUndefined();
  });

  test("names the constraint that rejects a row", async () => {
    await repository.insert(things.db, newThing("same"));
    const second = repository.insert(things.db, newThing("same"));
    await expect(second).rejects.toSatisfy((error) => violatedConstraint(error) === "things_name_key");
  });
});

describe("deleteMany", () => {
  const insertThings = (names: readonly string[]) =>
    Promise.all(names.map((name) => repository.insert(things.db, newThing(name))));

  test("deletes the rows that exist and returns their number", async () => {
    const { db } = things;
    const [one, two, three] = await insertThings(["one", "two", "three"]);
    expect(await repository.deleteMany(db, [one!.id, two!.id, randomUUID()])).toBe(2);
    expect(await repository.findById(db, one!.id)).toBeUndefined();
    expect(await repository.findById(db, three!.id)).toEqual(three);
  });

  test("deletes nothing for an empty list", async () => {
    const [kept] = await insertThings(["kept"]);
    expect(await repository.deleteMany(things.db, [])).toBe(0);
    expect(await repository.findById(things.db, kept!.id)).toEqual(kept);
  });

  test("deletes more rows than a statement can have parameters", async () => {
    const { db } = things;
    await sql`insert into things (id, name, size) select gen_random_uuid(), 'thing ' || n, 1 from generate_series(1, 70000) n`.execute(
      db,
    );
    const rows = await db.selectFrom("things").select("id").execute();
    expect(
      await repository.deleteMany(
        db,
        rows.map(({ id }) => id),
      ),
    ).toBe(70_000);
  });
});

describe("repository in a transaction", () => {
  test("rolls back with the transaction", async () => {
    const { db } = things;
    const kept = await repository.insert(db, newThing("kept"));
    const failing = db.transaction().execute(async (trx) => {
      await repository.insert(trx, newThing("one"));
      await repository.set(trx, kept.id, { size: 7 });
      await repository.deleteMany(trx, [kept.id]);
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    expect(await repository.findById(db, kept.id)).toEqual(kept);
  });
});

describe("advisory lock", () => {
  test("makes the second transaction wait until the first ends, or fails at once when it only tries", async () => {
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
