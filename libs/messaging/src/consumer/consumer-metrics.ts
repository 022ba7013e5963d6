import { metrics } from "@opentelemetry/api";
import type { Bus } from "../bus.ts";
import { managerOf } from "../streams.ts";

/** What came of an event: its handler succeeded, a failure that counted, or it was put to the dead letters. */
export type EventOutcome = "handled" | "failed" | "dead_lettered";

/** Counts what comes of a durable consumer's events. */
export function createEventCounter(durable: string): (subject: string, outcome: EventOutcome) => void {
  const events = metrics.getMeter("gatehouse").createCounter("gatehouse.consumer.events", {
    unit: "{event}",
    description: "Events by what came of them: handled, failed (and tried again), dead_lettered.",
  });
  return (subject, outcome) => events.add(1, { consumer: durable, subject, outcome });
}

/**
 * Measures how far a durable consumer is behind. The server is asked when metrics are collected, and by nobody otherwise; while it is
 * away the SDK repeats its last word. That holds for all replicas together.
 * @returns stops that
 */
export function observeLag({ bus, stream, durable }: { bus: Bus; stream: string; durable: string }): () => void {
  const lag = metrics.getMeter("gatehouse").createObservableGauge("gatehouse.consumer.lag", {
    unit: "{event}",
    description:
      "Events of its filter that a durable consumer has not acknowledged: those that wait and those in hand.",
  });
  const observe: Parameters<typeof lag.addCallback>[0] = async (result) => {
    const outstanding = await countOutstanding(bus, stream, durable).catch(() => undefined);
    if (outstanding !== undefined) result.observe(outstanding, { consumer: durable, stream });
  };
  lag.addCallback(observe);
  return () => lag.removeCallback(observe);
}

async function countOutstanding(bus: Bus, stream: string, durable: string): Promise<number | undefined> {
  const connection = bus.connection();
  if (connection === undefined) return undefined;
  const manager = await managerOf(connection);
  const { num_pending: waiting, num_ack_pending: inHand } = await manager.consumers.info(stream, durable);
  return waiting + inHand;
}
