import type { GatehouseEvent } from "@gatehouse/contracts";
import { describeProcessing, type StreamMessage } from "@gatehouse/messaging";
import { startRemoteChild } from "@gatehouse/observability";
import { metrics } from "@opentelemetry/api";

/** In seconds. Revoking takes some milliseconds, and 50 of them is what it may take. */
const LAG_BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Stands where other consumers have their durable's name: each process has a view of its own, and the server knows of none. */
const GROUP = "revocation-view";

/**
 * Records how revocations get into the view: a CONSUMER span each, in the trace of the request that revoked, and
 * `gatehouse.revocation.lag`. To be made after telemetry has started.
 * @returns records one that has just been applied; `startedAt`, of `performance.now()`, is when that began
 */
export function createRevocationRecorder(): (message: StreamMessage, event: GatehouseEvent, startedAt: number) => void {
  const lag = metrics.getMeter("gatehouse").createHistogram("gatehouse.revocation.lag", {
    unit: "s",
    description:
      "How long revocations took from auth's transaction to the view: from the event's time until it is applied.",
    advice: { explicitBucketBoundaries: LAG_BOUNDARIES },
  });

  return (message, event, startTime) => {
    // The two clocks need not agree.
    lag.record(Math.max(0, Date.now() - Date.parse(event.time)) / 1_000);
    const { span, traceparent } = describeProcessing({ message, event, group: GROUP });
    startRemoteChild({ ...span, startTime }, traceparent)?.end();
  };
}
