import { type Handle, inBatches } from "@gatehouse/database";
import { sql } from "kysely";
import type { InboxTables } from "./tables/messaging.table.ts";

/**
 * Marks the event as handled by `consumer`, in the caller's transaction.
 * @returns false when it was handled before: the caller does nothing then
 */
export async function handleOnce<T extends InboxTables>(
  trx: Handle<T>,
  consumer: string,
  eventId: string,
): Promise<boolean> {
  const result = await sql`
    insert into inbox (consumer, event_id) values (${consumer}, ${eventId}) on conflict do nothing`.execute(trx);
  return result.numAffectedRows === 1n;
}

const TRIM_BATCH = 5_000;

/**
 * Forgets what was handled before `olderThan`, which must lie further back than the streams' max age.
 * @returns how many rows went
 */
export async function trimInbox<T extends InboxTables>(db: Handle<T>, olderThan: Date): Promise<number> {
  return await inBatches(TRIM_BATCH, async (limit) => {
    const result = await sql`
      delete from inbox where ctid = any(array(
        select ctid from inbox where handled_at < ${olderThan} limit ${limit}))`.execute(db);
    return Number(result.numAffectedRows ?? 0n);
  });
}
