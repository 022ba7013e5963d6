import { type Kysely, type RawBuilder, sql } from "kysely";
import { pause } from "../backoff.ts";
import { createEvent } from "../outbox/create-event.ts";
import type { MessagingTables } from "../tables/messaging.table.ts";
import { cloudEventHeaders } from "./publish-rows.ts";
import type { Session } from "./session.ts";

/** The database's time (RFC 3339, microseconds), and whether an older revocation is still unpublished. */
interface Moment {
  readonly asOf: string;
  readonly blocked: boolean;
}

/**
 * Unpublished revoking rows that block a watermark of the time `before`: older rows, and rows from the future, which were written
 * before the database's clock was set back.
 */
function blocking(before: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`exists (
    select 1 from outbox
    where published_at is null and revoking and (created_at < ${before} or created_at > clock_timestamp()))`;
}

/**
 * Reads the database's time and whether rows block it. One statement, because PostgreSQL takes now() before the snapshot and
 * therefore sees everything committed before that time.
 */
async function readMoment(db: Kysely<MessagingTables>): Promise<Moment> {
  const { rows } = await sql<Moment>`
    select
      to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "asOf",
      ${blocking(sql`now()`)} as blocked`.execute(db);
  return rows[0] as Moment;
}

/** Returns true while a revocation from before `asOf` is unpublished. */
async function isBlocked(db: Kysely<MessagingTables>, asOf: string): Promise<boolean> {
  const { rows } = await sql<{ blocked: boolean }>`
    select ${blocking(sql`${asOf}::timestamptz`)} as blocked`.execute(db);
  return rows[0]?.blocked ?? true;
}

/** Returns `auth.watermark`: every revocation committed before `asOf` has been published. Its id makes it one a second for all replicas. */
function watermarkMessage(source: "auth", asOf: string): { subject: string; payload: string; msgID: string } {
  const event = createEvent({ source, type: "auth.watermark", subject: source, data: { as_of: asOf } });
  return { subject: event.type, payload: JSON.stringify(event), msgID: `watermark-${asOf.slice(0, 19)}` };
}

const RETRY_MS = 50;
const PUBLISH_TIMEOUT_MS = 1_000;

export interface WatermarkDeps {
  readonly db: Kysely<MessagingTables>;
  readonly session: Session;
  readonly source: "auth";
  readonly maxWaitMs: number;
  /** Resolves after the next batch of rows was settled. */
  readonly settled: () => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Publishes one watermark: reads the time once, then waits at most `maxWaitMs` for older revocations to be published.
 * @returns its `as_of`, or undefined when it was withheld
 * @throws when the database or JetStream fails
 */
export async function publishWatermark(deps: WatermarkDeps): Promise<string | undefined> {
  const { db, session, source, maxWaitMs, settled, signal } = deps;
  const until = performance.now() + maxWaitMs;
  const { asOf, blocked } = await readMoment(db);
  const giveUp = (): boolean => performance.now() >= until || signal.aborted || session.connection.isClosed();
  for (let wait = blocked; wait; wait = await isBlocked(db, asOf)) {
    if (giveUp()) return undefined;
    await Promise.race([settled(), pause(RETRY_MS, signal)]);
  }
  // The database itself may have been slow.
  if (giveUp()) return undefined;
  const { subject, payload, msgID } = watermarkMessage(source, asOf);
  await session.client.publish(subject, payload, { msgID, headers: cloudEventHeaders(), timeout: PUBLISH_TIMEOUT_MS });
  return asOf;
}
