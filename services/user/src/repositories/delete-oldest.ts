import type { UserHandle } from "../db/database.ts";

/** Deletes up to `limit` rows whose `deleted_at` is before a time and returns how many it deleted. */
export async function deleteOldest(
  db: UserHandle,
  table: "tombstones" | "early_deletions",
  before: Date,
  limit: number,
): Promise<number> {
  const old = db.selectFrom(table).select("id").where("deleted_at", "<", before).limit(limit);
  const result = await db.deleteFrom(table).where("id", "in", old).executeTakeFirst();
  return Number(result.numDeletedRows);
}
