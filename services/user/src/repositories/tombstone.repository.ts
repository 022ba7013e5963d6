import { createRepository } from "@gatehouse/database";
import type { UserHandle, UserTables, UserTransaction } from "../db/database.ts";
import { removeOldest } from "./delete-oldest.ts";

/** What is left of an erased user; `version` is the account's at its end. */
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

/** @returns how many there were, at most `limit` */
export async function removeTombstonesBefore(db: UserHandle, before: Date, limit: number): Promise<number> {
  return removeOldest(db, "tombstones", before, limit);
}
