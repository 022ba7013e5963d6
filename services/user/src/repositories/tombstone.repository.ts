import { createRepository } from "@gatehouse/database";
import type { UserHandle, UserTables, UserTransaction } from "../db/database.ts";
import { deleteOldest } from "./delete-oldest.ts";

/** Marks an id as erased. `version` is the last version of the account. */
export interface Tombstone {
  readonly id: string;
  readonly version: number;
  readonly deletedAt: Date;
}

const tombstones = createRepository<UserTables, "tombstones", Tombstone>({
  table: "tombstones",
  toDomain: ({ id, version, deleted_at }) => ({ id, version, deletedAt: deleted_at }),
});

export const findTombstone = tombstones.findById;

export async function insertTombstone(trx: UserTransaction, { id, version, deletedAt }: Tombstone): Promise<void> {
  await tombstones.insert(trx, { id, version, deleted_at: deletedAt });
}

/** Deletes up to `limit` tombstones from before a time and returns how many it deleted. */
export async function deleteTombstonesBefore(db: UserHandle, before: Date, limit: number): Promise<number> {
  return deleteOldest(db, "tombstones", before, limit);
}
