import { inBatches, tryLockAdvisory } from "@gatehouse/database";
import type { Kysely } from "kysely";
import type { UserTables, UserTransaction } from "../db/database.ts";
import { deleteEarlyDeletionsBefore } from "../repositories/early-deletion.repository.ts";
import { deleteTombstonesBefore } from "../repositories/tombstone.repository.ts";

const DAY_MS = 86_400_000;
/**
 * Streams keep events for 7 days and dead letters for 30. A dead letter replayed on its last day holds an event that is at
 * most 37 days old. Tombstones and early deletions must outlive it.
 */
const RETENTION_DAYS = 60;
const BATCH = 1_000;

export interface CleanedUp {
  readonly tombstones: number;
  readonly earlyDeletions: number;
}

/** Deletes tombstones and early deletions that no event can need. Does nothing while another replica runs it. */
export async function cleanUp(db: Kysely<UserTables>, now: Date): Promise<CleanedUp> {
  const before = new Date(now.getTime() - RETENTION_DAYS * DAY_MS);
  const clean = (step: (trx: UserTransaction, limit: number) => Promise<number>) =>
    inBatches(BATCH, (limit) =>
      db
        .transaction()
        .execute(async (trx) => ((await tryLockAdvisory(trx, "user.clean-up")) ? await step(trx, limit) : 0)),
    );
  return {
    tombstones: await clean((trx, limit) => deleteTombstonesBefore(trx, before, limit)),
    earlyDeletions: await clean((trx, limit) => deleteEarlyDeletionsBefore(trx, before, limit)),
  };
}
