import type { Logger } from "@gatehouse/observability";
import type { Kysely } from "kysely";
import { createFaultLog } from "../fault-log.ts";
import type { MessagingTables } from "../tables/messaging.table.ts";
import { claimRows, settleRows } from "./claim.ts";
import { createLane } from "./lane.ts";
import { NoStreamError, publishRows } from "./publish-rows.ts";
import type { RelayMetrics } from "./relay-metrics.ts";
import type { Session } from "./session.ts";

export interface Delivery {
  /** @param revoking there may be revoking rows, which wait neither for company nor for a batch in hand */
  wake(revoking: boolean): void;
  /** Resolves when no batch is in hand. */
  idle(): Promise<void>;
  /** Resolves after the next batch that was settled. */
  settled(): Promise<void>;
  counts(): { published: number; failed: number };
}

const BATCH = 500;
const URGENT_BATCH = 100;
/**
 * How long ordinary rows wait for others. Nobody is kept waiting by an event that revokes nothing, and under load
 * one claim and one mark serve many: a login costs its service two statements less.
 */
const GATHER_MS = 20;

/** Moves rows from the outbox to the stream: claim, publish, settle, until a claim comes back short. */
export function createDelivery(options: {
  db: Kysely<MessagingTables>;
  stream: string;
  session: () => Session | undefined;
  /** Nobody listens on the subject although there is a connection, or another relay found that it is another stream. */
  onStreamGone: () => void;
  metrics: Pick<RelayMetrics, "settled">;
  logger: Logger;
}): Delivery {
  const { db, stream } = options;
  const faults = createFaultLog(options.logger, "publishing from the outbox");
  const counts = { published: 0, failed: 0 };
  let next = Promise.withResolvers<void>();

  const all = createLane(() => round(BATCH, false));
  const urgent = createLane(() => round(URGENT_BATCH, true));

  /** @returns true when there is more and it is going well */
  async function round(limit: number, revokingOnly: boolean): Promise<boolean> {
    const session = options.session();
    if (session === undefined) return false;
    try {
      const rows = await claimRows(db, { limit, revokingOnly });
      if (rows.length === 0) return false;
      const { acknowledged, error } = await publishRows(session.connection, rows);
      const none = acknowledged.length === 0;
      const ids = acknowledged.map(({ id }) => id);
      const isCurrent = await settleRows(db, {
        // Single failures keep their lease, so that the rest goes on without trying them again at once.
        claimed: none || session.connection.isClosed() ? rows.map((row) => row.id) : ids,
        acknowledged,
        stream,
        incarnation: session.incarnation,
      });
      if (!isCurrent && options.session() === session) options.onStreamGone();
      counts.published += acknowledged.length;
      counts.failed += rows.length - acknowledged.length;
      options.metrics.settled(acknowledged.length, rows.length - acknowledged.length);
      if (acknowledged.length === rows.length) faults.worked();
      else if (!session.connection.isClosed()) refused(error);
      return !none && rows.length === limit;
    } catch (error) {
      // The database is away; what was claimed comes back with its lease, and JetStream drops what it has already.
      faults.failed(error);
      return false;
    } finally {
      next.resolve();
      next = Promise.withResolvers<void>();
    }
  }

  function refused(error: unknown): void {
    faults.failed(error);
    if (error instanceof NoStreamError) options.onStreamGone();
  }

  let gathering: NodeJS.Timeout | undefined;

  function runNow(): void {
    clearTimeout(gathering);
    gathering = undefined;
    const busy = all.busy();
    all.run();
    if (busy) urgent.run();
  }

  function runSoon(): void {
    gathering ??= setTimeout(() => {
      gathering = undefined;
      all.run();
    }, GATHER_MS);
  }

  return {
    wake: (revoking) => (revoking ? runNow() : runSoon()),
    async idle() {
      await Promise.all([all.idle(), urgent.idle()]);
    },
    settled: () => next.promise,
    counts: () => ({ ...counts }),
  };
}
