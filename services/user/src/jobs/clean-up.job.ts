import { inBatches, tryLockAdvisory } from "@gatehouse/database";
import type { Kysely } from "kysely";
import type { UserTables, UserTransaction } from "../db/database.ts";
import { removeEarlyDeletionsBefore } from "../repositories/early-deletion.repository.ts";
import { removeTombstonesBefore } from "../repositories/tombstone.repository.ts";

const DAY_MILLISECONDS = 86_400_000;
/**
 * The streams keep an event 7 days and dead letters 30; a letter that is replayed on its last day was an event of at most
 * 37 days ago. What guards against late events stays longer than that.
 */
const KEPT_DAYS = 60;
const BATCH = 1_000;

export interface CleanedUp {
  readonly tombstones: number;
  readonly earlyDeletions: number;
}

/** Forgets what no event can ask for any more. Any replica may run it at any time: one that finds another at it does nothing. */
export async function cleanUp(db: Kysely<UserTables>, now: Date): Promise<CleanedUp> {
  const before = new Date(now.getTime() - KEPT_DAYS * DAY_MILLISECONDS);
  const clean = (step: (trx: UserTransaction, limit: number) => Promise<number>) =>
    inBatches(BATCH, (limit) =>
      db
        .transaction()
        .execute(async (trx) => ((await tryLockAdvisory(trx, "user.clean-up")) ? await step(trx, limit) : 0)),
    );
  return {
    tombstones: await clean((trx, limit) => removeTombstonesBefore(trx, before, limit)),
    earlyDeletions: await clean((trx, limit) => removeEarlyDeletionsBefore(trx, before, limit)),
  };
}
