import { lockAdvisory } from "@gatehouse/database";
import type { UserHandle, UserTransaction } from "../db/database.ts";
import {
  deleteEarlyDeletion,
  type EarlyDeletion,
  findEarlyDeletion,
  setEarlyDeletion,
} from "./early-deletion.repository.ts";
import { findTombstone, insertTombstone, type Tombstone } from "./tombstone.repository.ts";
import { deleteUser, findUser, insertUser, setUser, type User } from "./user.repository.ts";

/** Everything that is stored under one user's id. At most one of the three exists. */
export interface UserRecord {
  readonly user?: User | undefined;
  readonly earlyDeletion?: EarlyDeletion | undefined;
  readonly tombstone?: Tombstone | undefined;
}

/**
 * Returns the record and excludes all other writers of the id until the transaction ends.
 * A row lock does not suffice: two transactions may race to insert the row, or the tombstone that forbids it.
 */
export async function lockUserRecord(trx: UserTransaction, id: string): Promise<UserRecord> {
  // A statement of its own: the snapshots of the reads below then begin after the lock is granted.
  await lockAdvisory(trx, `user:${id}`);
  return findUserRecord(trx, id);
}

export async function findUserRecord(db: UserHandle, id: string): Promise<UserRecord> {
  const user = await findUser(db, id);
  if (user !== undefined) return { user };
  const tombstone = await findTombstone(db, id);
  if (tombstone !== undefined) return { tombstone };
  return { earlyDeletion: await findEarlyDeletion(db, id) };
}

/** Replaces `before`, as `lockUserRecord` returned it, by `after`. */
export async function setUserRecord(
  trx: UserTransaction,
  id: string,
  before: UserRecord,
  after: UserRecord,
): Promise<void> {
  if (after.user !== undefined)
    await (before.user ? setUser(trx, before.user, after.user) : insertUser(trx, after.user));
  else if (before.user !== undefined) await deleteUser(trx, id);
  if (after.earlyDeletion !== undefined) {
    if (after.earlyDeletion !== before.earlyDeletion) await setEarlyDeletion(trx, after.earlyDeletion);
  } else if (before.earlyDeletion !== undefined) await deleteEarlyDeletion(trx, id);
  if (after.tombstone !== undefined && before.tombstone === undefined) await insertTombstone(trx, after.tombstone);
}
