import type { Logger } from "@gatehouse/observability";
import type { Kysely } from "kysely";
import { pause } from "../backoff.ts";
import type { Bus } from "../bus.ts";
import { createFaultLog } from "../fault-log.ts";
import type { MessagingTables } from "../tables/messaging.table.ts";
import type { Delivery } from "./delivery.ts";
import type { SessionKeeper } from "./session.ts";
import { createSingleJob } from "./single-job.ts";
import { trimOutbox } from "./trim-outbox.ts";
import { publishWatermark } from "./watermark.ts";

const SWEEP_MS = 1_000;
const TRIM_MS = 30_000;

export interface SweepDeps {
  readonly db: Kysely<MessagingTables>;
  readonly bus: Bus;
  readonly keeper: SessionKeeper;
  readonly delivery: Delivery;
  readonly retentionSeconds: number;
  readonly watermarks: { readonly source: "auth" } | undefined;
  /** Ends the sweeps. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** The periodic work of a relay: publishes rows that no wake announced, sends watermarks and trims the outbox. */
export interface Sweep {
  lastWatermark(): string | undefined;
  /** Resolves after `signal` aborted and the current sweep ended. */
  ended(): Promise<void>;
}

export function startSweep(deps: SweepDeps): Sweep {
  const { db, bus, keeper, delivery, retentionSeconds, signal, logger } = deps;
  const trimming = createSingleJob(trim);
  const faults = createFaultLog({ logger, task: "outbox sweep" });
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
    lastWatermark = (await sendWatermark(deps)) ?? lastWatermark;
    if (performance.now() - trimmedAt < TRIM_MS) return;
    trimmedAt = performance.now();
    // Not awaited: a large trim must not delay a watermark.
    trimming.run();
  }

  async function trim(): Promise<boolean> {
    await trimOutbox(db, retentionSeconds).catch(faults.failed);
    return false;
  }

  async function sweepRepeatedly(): Promise<void> {
    while (!signal.aborted) {
      reconnected = Promise.withResolvers<void>();
      const startedAt = performance.now();
      try {
        await sweep();
        faults.succeeded();
      } catch (error) {
        if (bus.isConnected()) faults.failed(error);
      }
      const rest = Math.max(0, SWEEP_MS - (performance.now() - startedAt));
      await Promise.race([pause(rest, signal), reconnected.promise]);
    }
  }

  const sweeping = sweepRepeatedly();
  const unsubscribe = bus.onConnected(() => {
    void resume();
    // Publishes a watermark at once instead of after the rest of the second.
    reconnected.resolve();
  });
  signal.addEventListener("abort", unsubscribe, { once: true });

  return {
    lastWatermark: () => lastWatermark,
    async ended() {
      await sweeping;
      await trimming.idle();
    },
  };
}

/** Returns the `as_of` of the published watermark; undefined when none was published. */
async function sendWatermark({ db, keeper, delivery, watermarks, signal }: SweepDeps): Promise<string | undefined> {
  const session = keeper.current();
  if (session === undefined || watermarks === undefined) return undefined;
  const { source } = watermarks;
  return publishWatermark({ db, session, source, maxWaitMs: SWEEP_MS, settled: delivery.settled, signal });
}
