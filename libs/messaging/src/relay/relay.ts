import type { StreamDefinition } from "@gatehouse/contracts";
import { type Logger, runOutsideContext } from "@gatehouse/observability";
import type { Kysely } from "kysely";
import type { Bus } from "../bus.ts";
import { createFaultLog } from "../fault-log.ts";
import { pause } from "../pause.ts";
import type { MessagingTables, OutboxInsert } from "../tables/messaging.table.ts";
import { createDelivery } from "./delivery.ts";
import { createLane } from "./lane.ts";
import { createRelayMetrics } from "./relay-metrics.ts";
import { keepSession } from "./session.ts";
import { trimOutbox } from "./trim-outbox.ts";
import { publishWatermark } from "./watermark.ts";

export interface RelayOptions<T extends MessagingTables> {
  readonly db: Kysely<T>;
  readonly bus: Bus;
  /** Where this service's events go. */
  readonly stream: StreamDefinition;
  readonly replicas: number;
  readonly logger: Logger;
  /** How long published rows stay, in case the stream is lost: one access-token lifetime and 5 minutes. */
  readonly retentionSeconds: number;
  /** Publishes `auth.watermark` each second (design, "Revocation"); auth only. */
  readonly watermarks?: { readonly source: "auth" } | undefined;
}

export interface RelayStatus {
  /** True while there is a connection and its stream is the one on record. */
  readonly connected: boolean;
  /** Rows that JetStream acknowledged since the start. */
  readonly published: number;
  /** Publishes that were not acknowledged; their rows are tried again. */
  readonly failed: number;
  /** RFC 3339: the `as_of` of the last watermark that this relay published. */
  readonly lastWatermark: string | undefined;
}

export interface Relay {
  /**
   * Publishes new rows. Cheap, never throws, may be called any number of times.
   * @param committed the rows of one commit: revoking ones are published at once and from memory, others within 20 ms. Without it
   *   the relay reads the outbox at once
   */
  wake(committed?: readonly OutboxInsert[]): void;
  /** Publishes what is there, as far as that goes within a few seconds, and stops. */
  close(): Promise<void>;
  status(): RelayStatus;
}

const SWEEP_MS = 1_000;
const TRIM_MS = 30_000;
const CLOSE_TIMEOUT_MS = 3_000;

/**
 * Publishes the outbox to the stream (design, "Outbox, bus, consumers"): at each wake and each second, over whatever connection the
 * bus has. Any number of replicas may relay the same outbox.
 */
export function startRelay<T extends MessagingTables>(options: RelayOptions<T>): Relay {
  const { bus, stream, logger } = options;
  const db = options.db as unknown as Kysely<MessagingTables>;
  const stopping = new AbortController();
  const keeper = keepSession({ db, bus, stream, replicas: options.replicas, logger });
  const metrics = createRelayMetrics(db, stream.name);
  const delivery = createDelivery({
    db,
    stream: stream.name,
    session: keeper.current,
    onStreamGone: keeper.doubt,
    metrics,
    logger,
  });
  const trimming = createLane(trim);
  const sweepFaults = createFaultLog(logger, "the sweep of the outbox");
  let lastWatermark: string | undefined;
  let trimmedAt = performance.now();
  let reconnected = Promise.withResolvers<void>();

  async function resume(): Promise<void> {
    await keeper.check();
    // The connection may have been replaced during the check.
    if (!keeper.current() && bus.isConnected()) await keeper.check();
    if (keeper.current()) delivery.wake();
  }

  async function sweep(): Promise<void> {
    await resume();
    await vouch();
    if (performance.now() - trimmedAt < TRIM_MS) return;
    trimmedAt = performance.now();
    // Beside the sweep, since a large one must not delay a watermark.
    trimming.run();
  }

  async function trim(): Promise<boolean> {
    await trimOutbox(db, options.retentionSeconds).catch(sweepFaults.failed);
    return false;
  }

  async function finish(): Promise<void> {
    await sweeping;
    delivery.wake();
    await Promise.all([delivery.idle(), trimming.idle()]);
  }

  async function vouch(): Promise<void> {
    const session = keeper.current();
    if (session === undefined || options.watermarks === undefined) return;
    const asOf = await publishWatermark({
      db,
      session,
      source: options.watermarks.source,
      patienceMs: SWEEP_MS,
      settled: delivery.settled,
      signal: stopping.signal,
    });
    lastWatermark = asOf ?? lastWatermark;
  }

  async function sweepForEver(): Promise<void> {
    while (!stopping.signal.aborted) {
      reconnected = Promise.withResolvers<void>();
      const begun = performance.now();
      try {
        await sweep();
        sweepFaults.worked();
      } catch (error) {
        if (bus.isConnected()) sweepFaults.failed(error);
      }
      const rest = Math.max(0, SWEEP_MS - (performance.now() - begun));
      await Promise.race([pause(rest, stopping.signal), reconnected.promise]);
    }
  }

  const sweeping = sweepForEver();
  const unsubscribe = bus.onConnected(() => {
    void resume();
    // So that views are vouched for at once and not at the next second.
    reconnected.resolve();
  });

  return {
    // Who wakes it is one of many whose rows are sent together.
    wake: (committed) => runOutsideContext(() => delivery.wake(committed)),
    async close() {
      stopping.abort();
      unsubscribe();
      const limit = new AbortController();
      await Promise.race([finish(), pause(CLOSE_TIMEOUT_MS, limit.signal)]);
      limit.abort();
      metrics.close();
    },
    status: () => ({ connected: keeper.current() !== undefined, ...delivery.counts(), lastWatermark }),
  };
}
