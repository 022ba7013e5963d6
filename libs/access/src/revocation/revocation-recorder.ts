import type { GatehouseEvent } from "@gatehouse/contracts";
import { describeProcessing, type StreamMessage } from "@gatehouse/messaging";
import { startRemoteChild } from "@gatehouse/observability";
import { metrics } from "@opentelemetry/api";

/** In seconds. A revocation takes a few milliseconds; the objective is 50. */
const LAG_BOUNDARIES = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** In place of a durable's name: each process has its own view, and no durable consumer. */
const GROUP = "revocation-view";

/**
 * Returns a function that records an applied revocation: a CONSUMER span in the trace of the revoking request, and
 * `gatehouse.revocation.lag`. Call it after telemetry has started. `startedAt` is a time of `performance.now()`.
 */
export function createRevocationRecorder(): (message: StreamMessage, event: GatehouseEvent, startedAt: number) => void {
  const lag = metrics.getMeter("gatehouse").createHistogram("gatehouse.revocation.lag", {
    unit: "s",
    description: "Time from auth's transaction until the revocation is applied to the view.",
    advice: { explicitBucketBoundaries: LAG_BOUNDARIES },
  });

  return (message, event, startTime) => {
    // The clocks of the two processes can differ.
    lag.record(Math.max(0, Date.now() - Date.parse(event.time)) / 1_000);
    const { span, traceparent } = describeProcessing({ message, event, group: GROUP });
    startRemoteChild({ ...span, startTime }, traceparent)?.end();
  };
}
