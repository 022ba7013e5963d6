import { createTestDatabase, type TestDatabase } from "@gatehouse/test-kit";
import { newId } from "@gatehouse/contracts";
import { createDatabase, type Database, tryLockAdvisory } from "@gatehouse/database";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { UserTables } from "../../src/db/database.ts";
import { cleanUp } from "../../src/jobs/clean-up.job.ts";

// Without the service, which runs the same job itself.
let clone: TestDatabase;
let database: Database<UserTables>;
beforeAll(async () => {
  clone = await createTestDatabase();
  const limits = { poolSize: 2, maxOverflow: 0, timeoutSeconds: 5, recycleSeconds: 60 };
  database = createDatabase({ url: clone.userUrl, ...limits, applicationName: "test" });
});
afterAll(async () => {
  await database.close();
  await clone.drop();
});

const now = new Date("2026-06-30T00:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);

async function insertRows() {
  const [old, young] = [newId(), newId()];
  const rows = [
    { id: old, version: 1, deleted_at: daysAgo(61) },
    { id: young, version: 1, deleted_at: daysAgo(59) },
  ];
  await database.db.insertInto("tombstones").values(rows).execute();
  await database.db.insertInto("early_deletions").values(rows).execute();
  return { old, young };
}

const left = async (table: "tombstones" | "early_deletions") =>
  (await database.db.selectFrom(table).select("id").execute()).map(({ id }) => id);

describe("cleanUp", () => {
  it("deletes rows older than 60 days and keeps the others", async () => {
    const { young } = await insertRows();
    expect(await cleanUp(database.db, now)).toEqual({ tombstones: 1, earlyDeletions: 1 });
    expect([await left("tombstones"), await left("early_deletions")]).toEqual([[young], [young]]);
  });

  it("does nothing while another replica holds the lock", async () => {
    const { old } = await insertRows();
    await database.db.transaction().execute(async (trx) => {
      expect(await tryLockAdvisory(trx, "user.clean-up")).toBe(true);
      expect(await cleanUp(database.db, now)).toMatchObject({ tombstones: 0, earlyDeletions: 0 });
    });
    expect(await left("tombstones")).toContain(old);
  });
});
