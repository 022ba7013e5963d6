import { metrics } from "@opentelemetry/api";

/** What came of an event: its handler succeeded, a failure that counted, or it was put to the dead letters. */
export type EventOutcome = "handled" | "failed" | "dead_lettered";

/** Counts what comes of a durable consumer's events. */
export function createConsumerMetrics(durable: string): (subject: string, outcome: EventOutcome) => void {
  const events = metrics.getMeter("gatehouse").createCounter("gatehouse.consumer.events", {
    unit: "{event}",
    description: "Events by what came of them: handled, failed (and tried again), dead_lettered.",
  });
  return (subject, outcome) => events.add(1, { consumer: durable, subject, outcome });
}
