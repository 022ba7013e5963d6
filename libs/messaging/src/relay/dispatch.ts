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

export interface DispatchDeps {
  readonly db: Kysely<MessagingTables>;
  readonly stream: string;
  readonly session: () => Session | undefined;
  /** Called when no stream has the subject although there is a connection, or another relay detected a recreated stream. */
  readonly onStreamLost: () => void;
  readonly metrics: Pick<RelayMetrics, "settled">;
  readonly logger: Logger;
}

interface Sent {
  readonly rows: number;
  /** How many of them JetStream acknowledged. */
  readonly acknowledged: number;
}

/** Publishes batches of rows, settles their claims and counts them. */
export interface Dispatch {
  /**
   * Publishes the batch that `take` returns, which is called only while there is a stream. Never rejects.
   * @returns undefined when nothing was published
   */
  send(take: () => readonly ClaimedRow[] | Promise<readonly ClaimedRow[]>): Promise<Sent | undefined>;
  /** Resolves after the next batch was settled. */
  settled(): Promise<void>;
  counts(): { published: number; failed: number };
}

export function createDispatch({ db, stream, session, onStreamLost, metrics, logger }: DispatchDeps): Dispatch {
  const faults = createFaultLog({ logger, task: "publishing from the outbox" });
  const record = createPublishRecorder();
  const counts = { published: 0, failed: 0 };
  let next = Promise.withResolvers<void>();

  async function publishAndSettle(current: Session, rows: readonly ClaimedRow[]): Promise<Sent> {
    const { acknowledged, error } = await publishRows(current.connection, rows, record);
    const none = acknowledged.length === 0;
    const ids = acknowledged.map(({ id }) => id);
    const isCurrent = await settleRows(db, {
      // Single failures keep their lease, so that the other rows are published before these are retried.
      claimed: none || current.connection.isClosed() ? rows.map((row) => row.id) : ids,
      acknowledged,
      stream,
      incarnation: current.incarnation,
    });
    if (!isCurrent && session() === current) onStreamLost();
    const failed = rows.length - acknowledged.length;
    counts.published += acknowledged.length;
    counts.failed += failed;
    metrics.settled(acknowledged.length, failed);
    if (failed === 0) faults.succeeded();
    else if (!current.connection.isClosed()) reportFailure(error);
    return { rows: rows.length, acknowledged: acknowledged.length };
  }

  function reportFailure(error: unknown): void {
    faults.failed(error);
    if (error instanceof NoStreamError) onStreamLost();
  }

  return {
    async send(take) {
      const current = session();
      if (current === undefined) return undefined;
      try {
        const rows = await take();
        return rows.length === 0 ? undefined : await publishAndSettle(current, rows);
      } catch (error) {
        // The database failed: claimed rows are free again when their lease expires, and JetStream drops duplicates.
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
