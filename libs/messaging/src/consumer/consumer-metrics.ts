import { metrics } from "@opentelemetry/api";
import type { Bus } from "../bus.ts";
import { managerOf } from "../streams.ts";

/** The outcome of an event: its handler succeeded, failed in a way that counts, or the event became a dead letter. */
export type EventOutcome = "handled" | "failed" | "dead_lettered";

/** Returns a counter of a durable consumer's events by outcome. */
export function createEventCounter(durable: string): (subject: string, outcome: EventOutcome) => void {
  const events = metrics.getMeter("gatehouse").createCounter("gatehouse.consumer.events", {
    unit: "{event}",
    description: "Events by outcome: handled, failed (and retried), dead_lettered.",
  });
  return (subject, outcome) => events.add(1, { consumer: durable, subject, outcome });
}

/**
 * Measures how far a durable consumer is behind, for all its replicas together. Asks the server only when metrics are collected;
 * while the server is down, the SDK repeats the last value.
 * @returns a function that stops it
 */
export function observeLag({ bus, stream, durable }: { bus: Bus; stream: string; durable: string }): () => void {
  const lag = metrics.getMeter("gatehouse").createObservableGauge("gatehouse.consumer.lag", {
    unit: "{event}",
    description:
      "Events of its filter that a durable consumer has not acknowledged: waiting events and those being handled.",
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
  const { num_pending: waiting, num_ack_pending: inProgress } = await manager.consumers.info(stream, durable);
  return waiting + inProgress;
}
