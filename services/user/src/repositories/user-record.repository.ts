import { lockAdvisory } from "@gatehouse/database";
import type { UserHandle, UserTransaction } from "../db/database.ts";
import {
  type EarlyDeletion,
  findEarlyDeletion,
  removeEarlyDeletion,
  setEarlyDeletion,
} from "./early-deletion.repository.ts";
import { findTombstone, insertTombstone, type Tombstone } from "./tombstone.repository.ts";
import { findUser, insertUser, removeUser, setUser, type User } from "./user.repository.ts";

/** Everything this service holds of one id. A row, a waiting deletion and a tombstone exclude each other. */
export interface Known {
  readonly user?: User | undefined;
  readonly earlyDeletion?: EarlyDeletion | undefined;
  readonly tombstone?: Tombstone | undefined;
}

/**
 * Reads what is held of an id and keeps every other writer of that id waiting until the transaction ends.
 * A row lock would not do: the row, or the tombstone that forbids it, may be what two transactions race to insert.
 */
export async function lockKnown(trx: UserTransaction, id: string): Promise<Known> {
  // The lock is a statement of its own, so that the reads below have a snapshot taken after it was granted.
  await lockAdvisory(trx, `user:${id}`);
  return findKnown(trx, id);
}

export async function findKnown(db: UserHandle, id: string): Promise<Known> {
  const user = await findUser(db, id);
  if (user !== undefined) return { user };
  const tombstone = await findTombstone(db, id);
  if (tombstone !== undefined) return { tombstone };
  return { earlyDeletion: await findEarlyDeletion(db, id) };
}

/** Turns what is stored of an id, as `lockKnown` read it, into `after`. */
export async function setKnown(trx: UserTransaction, id: string, before: Known, after: Known): Promise<void> {
  if (after.user !== undefined)
    await (before.user ? setUser(trx, before.user, after.user) : insertUser(trx, after.user));
  else if (before.user !== undefined) await removeUser(trx, id);
  if (after.earlyDeletion !== undefined) {
    if (after.earlyDeletion !== before.earlyDeletion) await setEarlyDeletion(trx, after.earlyDeletion);
  } else if (before.earlyDeletion !== undefined) await removeEarlyDeletion(trx, id);
  if (after.tombstone !== undefined && before.tombstone === undefined) await insertTombstone(trx, after.tombstone);
}
