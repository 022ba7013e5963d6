import type { Logger } from "@gatehouse/observability";
import type { Kysely } from "kysely";
import { createFaultLog } from "../fault-log.ts";
import type { MessagingTables } from "../tables/messaging.table.ts";
import { createPublishRecorder } from "../telemetry/publication.ts";
import { NoStreamError } from "./acknowledgement.ts";
import { type ClaimedRow, settleRows } from "./claim.ts";
import { publishRows } from "./publish-rows.ts";
import type { RelayMetrics } from "./relay-metrics.ts";
import type { Session } from "./session.ts";

export interface DispatchOptions {
  readonly db: Kysely<MessagingTables>;
  readonly stream: string;
  readonly session: () => Session | undefined;
  /** Nobody listens on the subject although there is a connection, or another relay found that it is another stream. */
  readonly onStreamGone: () => void;
  readonly metrics: Pick<RelayMetrics, "settled">;
  readonly logger: Logger;
}

interface Sent {
  readonly rows: number;
  /** How many of them the stream has now. */
  readonly acknowledged: number;
}

/** One batch on its way: taken, published, settled, counted. */
export interface Dispatch {
  /** @param take the batch; asked for only when there is a stream to publish to. Never rejects; undefined when nothing was sent */
  send(take: () => readonly ClaimedRow[] | Promise<readonly ClaimedRow[]>): Promise<Sent | undefined>;
  /** Resolves after the next batch that was settled. */
  settled(): Promise<void>;
  counts(): { published: number; failed: number };
}

export function createDispatch({ db, stream, session, onStreamGone, metrics, logger }: DispatchOptions): Dispatch {
  const faults = createFaultLog(logger, "publishing from the outbox");
  const record = createPublishRecorder();
  const counts = { published: 0, failed: 0 };
  let next = Promise.withResolvers<void>();

  async function publishAndSettle(present: Session, rows: readonly ClaimedRow[]): Promise<Sent> {
    const { acknowledged, error } = await publishRows(present.connection, rows, record);
    const none = acknowledged.length === 0;
    const ids = acknowledged.map(({ id }) => id);
    const isCurrent = await settleRows(db, {
      // Single failures keep their lease, so that the rest goes on without trying them again at once.
      claimed: none || present.connection.isClosed() ? rows.map((row) => row.id) : ids,
      acknowledged,
      stream,
      incarnation: present.incarnation,
    });
    if (!isCurrent && session() === present) onStreamGone();
    const failed = rows.length - acknowledged.length;
    counts.published += acknowledged.length;
    counts.failed += failed;
    metrics.settled(acknowledged.length, failed);
    if (failed === 0) faults.worked();
    else if (!present.connection.isClosed()) refused(error);
    return { rows: rows.length, acknowledged: acknowledged.length };
  }

  function refused(error: unknown): void {
    faults.failed(error);
    if (error instanceof NoStreamError) onStreamGone();
  }

  return {
    async send(take) {
      const present = session();
      if (present === undefined) return undefined;
      try {
        const rows = await take();
        return rows.length === 0 ? undefined : await publishAndSettle(present, rows);
      } catch (error) {
        // The database is away; what was claimed comes back with its lease, and JetStream drops what it has already.
        faults.failed(error);
        return undefined;
      } finally {
        next.resolve();
        next = Promise.withResolvers<void>();
      }
    },
    settled: () => next.promise,
    counts: () => ({ ...counts }),
  };
}
