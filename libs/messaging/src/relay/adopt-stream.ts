import { type Kysely, sql } from "kysely";
import type { MessagingTables, RelayStateTable } from "../tables/messaging.table.ts";

/** The stream as the server has it now. */
export interface StreamFound {
  readonly created: string;
  readonly lastSequence: number;
  /**
   * It holds messages from before `created`, so it did not begin then: nats-server 2.9 reports the time of its own restart once a
   * stream was reconfigured after one.
   */
  readonly isOlder: boolean;
}

export interface Adoption {
  /** What a relay's acknowledgements are worth something for. */
  readonly incarnation: number;
  /** How many rows must be published again. */
  readonly again: number;
}

/** More rows than relays have in hand at a time: the last to be marked were not the last to be stored, but are among so many. */
const LATEST = 10_000;

/** The highest number under which a row was acknowledged; 0 when none was. */
export async function lastAcknowledged(db: Kysely<MessagingTables>): Promise<number> {
  const { rows } = await sql<{ last: number | null }>`
    select max(stream_sequence) as last from (
      select stream_sequence from outbox where published_at is not null order by published_at desc limit ${LATEST}
    ) as latest`.execute(db);
  return rows[0]?.last ?? 0;
}

/**
 * Puts on record with which incarnation of the stream this schema's relays work. When it is another than before (a wiped or
 * recreated server), every row still held becomes unpublished again, in the same transaction; when it is the same and its end is
 * gone (a server that lost power before it had written to the disk, a snapshot that was put back), those rows that lay there. Of
 * several relays that notice at once, one does it.
 * @param acknowledged lastAcknowledged, asked before the server was: so what other relays publish meanwhile is not taken for lost
 */
export async function adoptStream(
  db: Kysely<MessagingTables>,
  stream: string,
  { created, lastSequence, isOlder }: StreamFound,
  acknowledged: number,
): Promise<Adoption> {
  return await db.transaction().execute(async (trx) => {
    await sql`
      insert into relay_state (stream, stream_created) values (${stream}, ${created}) on conflict do nothing`.execute(
      trx,
    );
    const { rows } = await sql<Pick<RelayStateTable, "stream_created"> & { incarnation: number }>`
      select stream_created, incarnation from relay_state where stream = ${stream} for update`.execute(trx);
    const [known] = rows;
    if (known === undefined) throw new Error("relay_state lost its row");
    const isSame = known.stream_created === created || isOlder;
    if (known.stream_created === created && acknowledged <= lastSequence)
      return { incarnation: known.incarnation, again: 0 };
    const lost = isSame ? sql`and stream_sequence between ${lastSequence + 1} and ${acknowledged}` : sql``;
    // A statement of its own: it must see the marks of those whose lock the one above has waited for.
    const reset = await sql`
      update outbox set published_at = null, claimed_until = null, stream_sequence = null
      where published_at is not null ${lost}`.execute(trx);
    const again = Number(reset.numAffectedRows ?? 0n);
    const incarnation = isSame && again === 0 ? known.incarnation : known.incarnation + 1;
    await sql`
      update relay_state set stream_created = ${created}, incarnation = ${incarnation} where stream = ${stream}`.execute(
      trx,
    );
    return { incarnation, again };
  });
}
