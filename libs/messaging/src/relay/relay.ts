import type { StreamDefinition } from "@gatehouse/contracts";
import { type Logger, runOutsideContext } from "@gatehouse/observability";
import type { Kysely } from "kysely";
import { pause } from "../backoff.ts";
import type { Bus } from "../bus.ts";
import type { MessagingTables, OutboxInsert } from "../tables/messaging.table.ts";
import { createDelivery } from "./delivery.ts";
import { createRelayMetrics } from "./relay-metrics.ts";
import { keepSession } from "./session.ts";
import { startSweep } from "./sweep.ts";

export interface RelayDeps<T extends MessagingTables> {
  readonly db: Kysely<T>;
  readonly bus: Bus;
  /** The stream of this service's events. */
  readonly stream: StreamDefinition;
  readonly replicas: number;
  readonly logger: Logger;
  /** How long published rows are kept in case the stream is lost: one access-token lifetime and 5 minutes. */
  readonly retentionSeconds: number;
  /** Publishes `auth.watermark` each second (docs/reference/design.md); auth only. */
  readonly watermarks?: { readonly source: "auth" } | undefined;
}

interface RelayStatus {
  /** True while there is a connection and its stream is the recorded one. */
  readonly connected: boolean;
  /** Rows that JetStream acknowledged since the process started. */
  readonly published: number;
  /** Publishes that were not acknowledged; their rows are retried. */
  readonly failed: number;
  /** The `as_of` (RFC 3339) of the last watermark that this relay published. */
  readonly lastWatermark: string | undefined;
}

export interface Relay {
  /**
   * Publishes new rows. Cheap, never throws, may be called any number of times.
   * @param committed the rows of one commit: revoking ones are published at once and from memory, others within 20 ms. Without it
   *   the relay reads the outbox at once
   */
  wake(committed?: readonly OutboxInsert[]): void;
  /** Publishes the remaining rows for at most 3 s, then stops. */
  close(): Promise<void>;
  status(): RelayStatus;
}

const CLOSE_TIMEOUT_MS = 3_000;

/**
 * Publishes the outbox to the stream at each wake and each second, over the bus's current connection (docs/reference/design.md).
 * Any number of replicas may relay the same outbox.
 */
export function startRelay<T extends MessagingTables>(deps: RelayDeps<T>): Relay {
  const { bus, stream, replicas, logger, retentionSeconds, watermarks } = deps;
  const db = deps.db as unknown as Kysely<MessagingTables>;
  const stopping = new AbortController();
  const keeper = keepSession({ db, bus, stream, replicas, logger });
  const metrics = createRelayMetrics({ db, stream: stream.name });
  const delivery = createDelivery({
    db,
    stream: stream.name,
    session: keeper.current,
    onStreamLost: keeper.invalidate,
    metrics,
    logger,
  });
  const { signal } = stopping;
  const sweep = startSweep({ db, bus, keeper, delivery, retentionSeconds, watermarks, signal, logger });

  async function publishRemaining(): Promise<void> {
    await sweep.ended();
    delivery.wake();
    await delivery.idle();
  }

  return {
    // Rows of several requests are published together, so none of their contexts applies.
    wake: (committed) => runOutsideContext(() => delivery.wake(committed)),
    async close() {
      stopping.abort();
      const limit = new AbortController();
      await Promise.race([publishRemaining(), pause(CLOSE_TIMEOUT_MS, limit.signal)]);
      limit.abort();
      metrics.close();
    },
    status: () => ({
      connected: keeper.current() !== undefined,
      ...delivery.counts(),
      lastWatermark: sweep.lastWatermark(),
    }),
  };
}
