import { createTestDatabase, type TestDatabase } from "@gatehouse/test-kit";
import { newId } from "@gatehouse/contracts";
import { createDatabase, type Database, tryLockAdvisory } from "@gatehouse/database";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { UserTables } from "../../src/db/database.ts";
import { cleanUp } from "../../src/jobs/clean-up.job.ts";

// Without the service around it, which runs the same job by itself.
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

async function insertEndings() {
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

describe("what happens when the clean-up runs", () => {
  it("what no event can ask for any more goes, the rest stays", async () => {
    const { young } = await insertEndings();
    expect(await cleanUp(database.db, now)).toEqual({ tombstones: 1, earlyDeletions: 1 });
    expect([await left("tombstones"), await left("early_deletions")]).toEqual([[young], [young]]);
  });

  it("a replica that finds another one at it leaves it to that one", async () => {
    const { old } = await insertEndings();
    await database.db.transaction().execute(async (trx) => {
      expect(await tryLockAdvisory(trx, "user.clean-up")).toBe(true);
      expect(await cleanUp(database.db, now)).toMatchObject({ tombstones: 0, earlyDeletions: 0 });
    });
    expect(await left("tombstones")).toContain(old);
  });
});
