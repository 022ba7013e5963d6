import type { Attributes } from "@opentelemetry/api";

/** Of the conventions for durations of messaging, in seconds. */
export const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** What OpenTelemetry's conventions say of each operation on a message. */
export function messageAttributes(operation: "publish" | "process", subject: string): Attributes {
  return {
    "messaging.system": "nats",
    "messaging.operation.name": operation,
    "messaging.destination.name": subject,
  };
}
