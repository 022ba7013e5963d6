import type { UserHandle } from "../db/database.ts";

/** Removes up to `limit` rows that were deleted before a time. @returns how many it removed */
export async function removeOldest(
  db: UserHandle,
  table: "tombstones" | "early_deletions",
  before: Date,
  limit: number,
): Promise<number> {
  const old = db.selectFrom(table).select("id").where("deleted_at", "<", before).limit(limit);
  const result = await db.deleteFrom(table).where("id", "in", old).executeTakeFirst();
  return Number(result.numDeletedRows);
}
