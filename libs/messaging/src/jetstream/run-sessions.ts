import type { Logger } from "@gatehouse/observability";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Bus } from "../bus.ts";
import { createFaultLog } from "../fault-log.ts";
import { pause } from "../pause.ts";

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 1_000;
const STEADY_MS = 5_000;

/**
 * Runs `session` again and again, each time on the bus's present connection, until `signal` aborts. A session is a piece of
 * reading that ends, by returning why or by throwing, as soon as anything about it is odd.
 */
export async function attend(options: {
  bus: Bus;
  /** What the sessions do, for the log. */
  what: string;
  session: (connection: NatsConnection) => Promise<string>;
  signal: AbortSignal;
  logger: Logger;
}): Promise<void> {
  const { bus, signal, logger } = options;
  const faults = createFaultLog(logger, options.what);
  for (let failures = 0; ; failures += 1) {
    const connection = await nextConnection(bus, signal);
    if (connection === undefined) return;
    const begun = performance.now();
    try {
      const reason = await options.session(connection);
      faults.worked();
      if (!signal.aborted) logger.info({ reason }, `${options.what}: starting over`);
    } catch (error) {
      if (!connection.isClosed()) faults.failed(error);
    }
    if (performance.now() - begun > STEADY_MS) failures = 0;
    await pause(Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures), signal);
  }
}

/** @returns undefined when `signal` aborts first */
async function nextConnection(bus: Bus, signal: AbortSignal): Promise<NatsConnection | undefined> {
  if (signal.aborted) return undefined;
  const { promise, resolve } = Promise.withResolvers<NatsConnection | undefined>();
  const unsubscribe = bus.onConnected(resolve);
  const abandon = (): void => resolve(undefined);
  signal.addEventListener("abort", abandon, { once: true });
  try {
    return await promise;
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", abandon);
  }
}
