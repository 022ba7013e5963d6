import { type Kysely, sql } from "kysely";
import type { MessagingTables } from "../tables/messaging.table.ts";

/**
 * Puts on record with which incarnation of the stream this schema's relays work. When it is another than before (a wiped or
 * recreated server), every row still held becomes unpublished again, in the same transaction; of several relays that
 * notice at once, one does it.
 * @returns how many rows must be published again
 */
export async function adoptStream(db: Kysely<MessagingTables>, stream: string, streamCreated: string): Promise<number> {
  return await db.transaction().execute(async (trx) => {
    const known = await sql`
      insert into relay_state (stream, stream_created) values (${stream}, ${streamCreated})
      on conflict do nothing`.execute(trx);
    if (known.numAffectedRows === 1n) return 0;
    const changed = await sql`
      update relay_state set stream_created = ${streamCreated}
      where stream = ${stream} and stream_created <> ${streamCreated}`.execute(trx);
    if (changed.numAffectedRows !== 1n) return 0;
    // A statement of its own: it must see the marks of those whose lock the update above has waited for.
    const reset = await sql`
      update outbox set published_at = null, claimed_until = null where published_at is not null`.execute(trx);
    return Number(reset.numAffectedRows ?? 0n);
  });
}
