import { type Kysely, type RawBuilder, sql } from "kysely";
import { createEvent } from "../outbox/create-event.ts";
import { pause } from "../pause.ts";
import type { MessagingTables } from "../tables/messaging.table.ts";
import { cloudEventHeaders } from "./cloud-event-headers.ts";
import type { Session } from "./session.ts";

/** A moment by the database's clock (RFC 3339, microseconds), and whether an older revocation is still unpublished. */
interface Moment {
  readonly asOf: string;
  readonly blocked: boolean;
}

/**
 * Rows that hold up a watermark of the time `before`: those from before it, and those from the future, which were written before
 * the database's clock was set back.
 */
function blocking(before: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select 1 from outbox
    where published_at is null and revoking and (created_at < ${before} or created_at > clock_timestamp()))`;
}

/**
 * The database's time, and whether it may be vouched for. One statement, because PostgreSQL takes now() before the snapshot: so
 * whatever was committed before that time is seen.
 */
async function takeMoment(db: Kysely<MessagingTables>): Promise<Moment> {
  const { rows } = await sql<Moment>`
    select
      to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "asOf",
      ${blocking(sql`now()`)} as blocked`.execute(db);
  return rows[0] as Moment;
}

/** Whether a revocation from before `asOf` is still unpublished. */
async function isBlocked(db: Kysely<MessagingTables>, asOf: string): Promise<boolean> {
  const { rows } = await sql<{ blocked: boolean }>`
    select ${blocking(sql`${asOf}::timestamptz`)} as blocked`.execute(db);
  return rows[0]?.blocked ?? true;
}

/** `auth.watermark`: everything that revokes and was committed before `asOf` has been published. The id makes it one a second for all replicas. */
function watermarkMessage(source: "auth", asOf: string): { subject: string; payload: string; msgID: string } {
  const event = createEvent({ source, type: "auth.watermark", subject: source, data: { as_of: asOf } });
  return { subject: event.type, payload: JSON.stringify(event), msgID: `watermark-${asOf.slice(0, 19)}` };
}

const RETRY_MS = 50;
const PUBLISH_TIMEOUT_MS = 1_000;

/**
 * Publishes one watermark. Takes the time once and waits for what revoked before it, at most `patienceMs`, since
 * an old watermark would vouch for more than is known: the next one takes a new time.
 * @returns its `as_of`, or undefined when it had to be withheld
 * @throws when the database or JetStream fails
 */
export async function publishWatermark(options: {
  db: Kysely<MessagingTables>;
  session: Session;
  source: "auth";
  patienceMs: number;
  /** Resolves after the next batch of rows was settled, when asking again may pay. */
  settled: () => Promise<void>;
  signal: AbortSignal;
}): Promise<string | undefined> {
  const { db, session, signal } = options;
  const until = performance.now() + options.patienceMs;
  const { asOf, blocked } = await takeMoment(db);
  const giveUp = (): boolean => performance.now() >= until || signal.aborted || session.connection.isClosed();
  for (let wait = blocked; wait; wait = await isBlocked(db, asOf)) {
    if (giveUp()) return undefined;
    await Promise.race([options.settled(), pause(RETRY_MS, signal)]);
  }
  // Also when it was the database that took its time.
  if (giveUp()) return undefined;
  const { subject, payload, msgID } = watermarkMessage(options.source, asOf);
  await session.client.publish(subject, payload, { msgID, headers: cloudEventHeaders(), timeout: PUBLISH_TIMEOUT_MS });
  return asOf;
}
