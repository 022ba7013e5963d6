import type { Attributes } from "@opentelemetry/api";

/** Histogram boundaries of OpenTelemetry's messaging conventions, in seconds. */
export const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Returns the attributes of an operation on a message, by OpenTelemetry's messaging conventions. */
export function messageAttributes(operation: "publish" | "process", subject: string): Attributes {
  return {
    "messaging.system": "nats",
    "messaging.operation.name": operation,
    "messaging.destination.name": subject,
  };
}
