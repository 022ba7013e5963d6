import { type Kysely, sql } from "kysely";
import type { MessagingTables, RelayStateTable } from "../tables/messaging.table.ts";

/** The stream as the server reports it. */
export interface StreamFound {
  readonly created: string;
  readonly lastSequence: number;
  /**
   * True when the stream holds messages from before `created`, so it was not recreated: nats-server 2.9 reports the time of its own
   * restart after a stream was reconfigured.
   */
  readonly isOlder: boolean;
}

export interface Adoption {
  /** The incarnation for which a relay's acknowledgements count. */
  readonly incarnation: number;
  /** How many rows must be published again. */
  readonly again: number;
}

/** More rows than all relays publish at a time, so that these rows include the one that was stored last. */
const LATEST = 10_000;

/** Returns the highest acknowledged sequence; 0 when none was acknowledged. */
export async function lastAcknowledged(db: Kysely<MessagingTables>): Promise<number> {
  const { rows } = await sql<{ last: number | null }>`
    select max(stream_sequence) as last from (
      select stream_sequence from outbox where published_at is not null order by published_at desc limit ${LATEST}
    ) as latest`.execute(db);
  return rows[0]?.last ?? 0;
}

/**
 * Records which incarnation of the stream this schema's relays publish to. After a recreated stream every row still held becomes
 * unpublished, in the same transaction. After a lost end (power loss before a write, a restored snapshot) only the lost rows do. Of several
 * relays that detect it at once, one does the work.
 * @param acknowledged lastAcknowledged, read before the server was asked, so that rows published meanwhile do not count as lost
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
    if (known === undefined) throw new Error("relay_state has no row for the stream");
    const isSame = known.stream_created === created || isOlder;
    if (known.stream_created === created && acknowledged <= lastSequence)
      return { incarnation: known.incarnation, again: 0 };
    const lost = isSame ? sql`and stream_sequence between ${lastSequence + 1} and ${acknowledged}` : sql``;
    // A separate statement, so that it sees what the relays committed whose lock the one above waited for.
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
