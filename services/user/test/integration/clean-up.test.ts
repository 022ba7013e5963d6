import { newId } from "@gatehouse/contracts";
import { tryLockAdvisory } from "@gatehouse/database";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanUp } from "../../src/jobs/clean-up.job.ts";
import { startUser, type UserFixture } from "../fixtures.ts";

let user: UserFixture;
beforeAll(async () => {
  user = await startUser();
});
afterAll(() => user.stop());

const now = new Date("2026-06-30T00:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);

async function insertEndings() {
  const [old, young] = [newId(), newId()];
  const rows = [
    { id: old, version: 1, deleted_at: daysAgo(61) },
    { id: young, version: 1, deleted_at: daysAgo(59) },
  ];
  await user.db.insertInto("tombstones").values(rows).execute();
  await user.db.insertInto("early_deletions").values(rows).execute();
  return { old, young };
}

const left = async (table: "tombstones" | "early_deletions") =>
  (await user.db.selectFrom(table).select("id").execute()).map(({ id }) => id);

describe("what happens when the clean-up runs", () => {
  it("what no event can ask for any more goes, the rest stays", async () => {
    const { young } = await insertEndings();
    expect(await cleanUp(user.db, now)).toEqual({ tombstones: 1, earlyDeletions: 1, inbox: 0 });
    expect([await left("tombstones"), await left("early_deletions")]).toEqual([[young], [young]]);
  });

  it("a replica that finds another one at it leaves it to that one", async () => {
    const { old } = await insertEndings();
    await user.db.transaction().execute(async (trx) => {
      expect(await tryLockAdvisory(trx, "user.clean-up")).toBe(true);
      expect(await cleanUp(user.db, now)).toMatchObject({ tombstones: 0, earlyDeletions: 0 });
    });
    expect(await left("tombstones")).toContain(old);
  });
});
