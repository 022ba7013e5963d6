import { type Kysely, sql } from "kysely";
import type { MessagingTables } from "../tables/messaging.table.ts";

/** An outbox row in the hands of this relay. */
export interface ClaimedRow {
  readonly id: string;
  readonly subject: string;
  /** JSON text, as it goes out. */
  readonly payload: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly revoking: boolean;
}

/** A row that JetStream has, and under which number of its stream. */
export interface Acknowledged {
  readonly id: string;
  readonly sequence: number;
}

const LEASE_SECONDS = 5;
/** No lease ends later than this from now, unless it was given before the database's clock was set back: it is over, then. */
const LONGEST_LEASE_SECONDS = 2 * LEASE_SECONDS;

// Losing a claim or a mark in a crash of PostgreSQL only publishes a row twice, and its Nats-Msg-Id makes that once:
// not worth waiting for the disk, which would be the larger part of the way from commit to publish.
const RELAXED = sql`relaxed as materialized (select set_config('synchronous_commit', 'off', true))`;

/**
 * Takes up to `limit` unpublished rows for LEASE_SECONDS, revoking ones first, oldest first; rows that another relay holds are passed over.
 * @param options.revokingOnly leaves the ordinary rows alone
 */
export async function claimRows(
  db: Kysely<MessagingTables>,
  options: { limit: number; revokingOnly: boolean },
): Promise<ClaimedRow[]> {
  const only = options.revokingOnly ? sql`and revoking` : sql``;
  const { rows } = await sql<ClaimedRow>`
    with ${RELAXED},
    due as materialized (
      select id from outbox
      where published_at is null ${only} and (
        claimed_until is null
        or claimed_until not between now() and now() + make_interval(secs => ${LONGEST_LEASE_SECONDS})
      )
      order by revoking desc, id
      limit ${options.limit}
      for update skip locked
    )
    update outbox set claimed_until = now() + make_interval(secs => ${LEASE_SECONDS})
    from due cross join relaxed
    where outbox.id = due.id
    returning outbox.id, outbox.subject, outbox.payload::text as payload, outbox.headers, outbox.revoking`.execute(db);
  // The update returns its rows in any order.
  return rows.toSorted((a, b) => Number(b.revoking) - Number(a.revoking) || (a.id < b.id ? -1 : 1));
}

/**
 * Ends a claim: acknowledged rows are marked as published, the rest is free for the next try.
 * Nothing is marked when the stream that acknowledged is no longer in the incarnation on record, because what it held is gone. The lock
 * on the record orders this against adoptStream: either that sees the marks and takes them back, or this sees the new incarnation.
 * @returns whether it was the one on record
 */
export async function settleRows(
  db: Kysely<MessagingTables>,
  options: {
    claimed: readonly string[];
    acknowledged: readonly Acknowledged[];
    stream: string;
    incarnation: number;
  },
): Promise<boolean> {
  const { acknowledged } = options;
  const { rows } = await sql<{ current: boolean }>`
    with ${RELAXED},
    same_stream as materialized (
      select 1 from relay_state
      where stream = ${options.stream} and incarnation = ${options.incarnation}
      for share
    ),
    stored as materialized (
      select * from unnest(${acknowledged.map(({ id }) => id)}::uuid[], ${acknowledged.map(({ sequence }) => sequence)}::bigint[])
        as stored (id, sequence)
      where exists (select 1 from same_stream)
    ),
    settled as (
      update outbox set
        claimed_until = null,
        published_at = case when stored.id is not null then now() end,
        stream_sequence = stored.sequence
      from relaxed, unnest(${options.claimed}::uuid[]) as claimed (id) left join stored using (id)
      where outbox.id = claimed.id and published_at is null
    )
    select exists (select 1 from same_stream) as current`.execute(db);
  return rows[0]?.current ?? false;
}
