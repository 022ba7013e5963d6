import type { Logger } from "@gatehouse/observability";
import type { NatsConnection } from "@nats-io/nats-core";
import { backoffMs, pause } from "../backoff.ts";
import type { Bus } from "../bus.ts";
import { createFaultLog } from "../fault-log.ts";

const RETRY = { firstMs: 100, maxMs: 1_000 };
const STEADY_MS = 5_000;

export interface SessionsDeps {
  readonly bus: Bus;
  /** What the sessions do, for the log. */
  readonly task: string;
  /** Reads until anything unexpected happens; then returns the reason or throws. */
  readonly session: (connection: NatsConnection) => Promise<string>;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Runs `session` again after each end, on the bus's current connection, until `signal` aborts. */
export async function runSessions({ bus, task, session, signal, logger }: SessionsDeps): Promise<void> {
  const faults = createFaultLog({ logger, task });
  for (let failures = 0; ; failures += 1) {
    const connection = await nextConnection(bus, signal);
    if (connection === undefined) return;
    const startedAt = performance.now();
    try {
      const reason = await session(connection);
      faults.succeeded();
      if (!signal.aborted) logger.info({ reason }, `${task} ended, restarting`);
    } catch (error) {
      if (!connection.isClosed()) faults.failed(error);
    }
    if (performance.now() - startedAt > STEADY_MS) failures = 0;
    await pause(backoffMs(RETRY, failures), signal);
  }
}

/** Returns undefined when `signal` aborts first. */
async function nextConnection(bus: Bus, signal: AbortSignal): Promise<NatsConnection | undefined> {
  const { promise, resolve } = Promise.withResolvers<NatsConnection>();
  const unsubscribe = bus.onConnected(resolve);
  try {
    return await raceAbort(promise, signal, undefined);
  } finally {
    unsubscribe();
  }
}

/** Returns why a session ended: the reason in `ended`, or "closed" when `signal` aborts first. */
export function endedOrAborted(ended: Promise<string>, signal: AbortSignal): Promise<string> {
  return raceAbort(ended, signal, "closed");
}

async function raceAbort<T, A>(work: Promise<T>, signal: AbortSignal, abortedValue: A): Promise<T | A> {
  if (signal.aborted) return abortedValue;
  const aborted = Promise.withResolvers<A>();
  const abort = (): void => aborted.resolve(abortedValue);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
