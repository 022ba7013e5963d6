import { type Kysely, sql } from "kysely";
import type { MessagingTables } from "../tables/messaging.table.ts";

/** An outbox row that this relay has claimed. */
export interface ClaimedRow {
  readonly id: string;
  readonly subject: string;
  /** JSON text, as published. */
  readonly payload: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly revoking: boolean;
}

/** A row that JetStream acknowledged, and its sequence in the stream. */
export interface Acknowledged {
  readonly id: string;
  readonly sequence: number;
}

const LEASE_SECONDS = 5;
/** A lease that ends later than this was given before the database's clock was set back, and counts as expired. */
const LONGEST_LEASE_SECONDS = 2 * LEASE_SECONDS;

// Losing a claim or a mark in a crash only publishes a row twice, which JetStream drops by its Nats-Msg-Id. Waiting for the disk
// would be the larger part of the time from commit to publish.
const RELAXED = sql`relaxed as materialized (select set_config('synchronous_commit', 'off', true))`;

/**
 * Claims up to `limit` unpublished rows for LEASE_SECONDS: revoking rows first, then the oldest. Skips rows that another relay holds.
 * @param options.revokingOnly claims only revoking rows
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
  // The update returns rows in any order.
  return rows.toSorted((a, b) => Number(b.revoking) - Number(a.revoking) || (a.id < b.id ? -1 : 1));
}

/**
 * Ends a claim: marks acknowledged rows as published and releases the others for a retry. Marks nothing when the stream has been
 * recreated since, because its messages are lost. A row lock orders this against adoptStream: either that resets these marks, or this
 * sees the new incarnation.
 * @returns whether `incarnation` is the recorded one
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
