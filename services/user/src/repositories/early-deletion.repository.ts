import { createRepository } from "@gatehouse/database";
import type { UserHandle, UserTables, UserTransaction } from "../db/database.ts";
import { deleteOldest } from "./delete-oldest.ts";

/** A soft deletion whose user has not arrived yet. `version` is the account's. */
export interface EarlyDeletion {
  readonly id: string;
  readonly version: number;
  readonly deletedAt: Date;
}

const earlyDeletions = createRepository<UserTables, "early_deletions", EarlyDeletion>({
  table: "early_deletions",
  toDomain: ({ id, version, deleted_at }) => ({ id, version, deletedAt: deleted_at }),
});

export const findEarlyDeletion = earlyDeletions.findById;
export const deleteEarlyDeletion = earlyDeletions.delete;

export async function setEarlyDeletion(trx: UserTransaction, deletion: EarlyDeletion): Promise<void> {
  const { id, version, deletedAt } = deletion;
  await trx
    .insertInto("early_deletions")
    .values({ id, version, deleted_at: deletedAt })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ version, deleted_at: deletedAt }))
    .execute();
}

/** Deletes up to `limit` early deletions from before a time and returns how many it deleted. */
export async function deleteEarlyDeletionsBefore(db: UserHandle, before: Date, limit: number): Promise<number> {
  return deleteOldest(db, "early_deletions", before, limit);
}
