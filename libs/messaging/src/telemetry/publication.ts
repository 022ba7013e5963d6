import { errorType, formatTraceparent, startRemoteChild } from "@gatehouse/observability";
import { type Attributes, metrics, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { ClaimedRow } from "../relay/claim.ts";
import { DURATION_BOUNDARIES, messageAttributes } from "./message-attributes.ts";

/** The publish of one row. Only the first reported outcome counts. */
export interface Publication {
  /** The message's `traceparent`: of its own span where that is recorded, else of the request that wrote the row. */
  readonly traceparent: string | undefined;
  /** @param isDuplicate true when the stream already had the message */
  acknowledged(isDuplicate: boolean): void;
  failed(error: unknown): void;
}

/** Records a publish: a PRODUCER span in the trace of the request that wrote the row, and `messaging.client.operation.duration`. */
export type PublishRecorder = (row: Pick<ClaimedRow, "id" | "subject" | "headers">) => Publication;

/** Returns a recorder. Call it after telemetry has started. */
export function createPublishRecorder(): PublishRecorder {
  const duration = metrics.getMeter("gatehouse").createHistogram("messaging.client.operation.duration", {
    unit: "s",
    description: "How long JetStream took to acknowledge an event, each attempt separately.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });

  return ({ id, subject, headers }) => {
    const startedAt = performance.now();
    const attributes = { ...messageAttributes("publish", subject), "messaging.operation.type": "send" };
    // The request may have ended long ago, in another process; only the row refers to it.
    const span = startRemoteChild(
      {
        name: `publish ${subject}`,
        kind: SpanKind.PRODUCER,
        attributes: { ...attributes, "messaging.message.id": id },
      },
      headers["traceparent"],
    );
    let hasEnded = false;

    function end(outcome: Attributes): void {
      if (hasEnded) return;
      hasEnded = true;
      duration.record((performance.now() - startedAt) / 1_000, { ...attributes, ...outcome });
      if ("error.type" in outcome) span?.setStatus({ code: SpanStatusCode.ERROR });
      span?.setAttributes(outcome).end();
    }

    return {
      traceparent: span ? formatTraceparent(span.spanContext()) : headers["traceparent"],
      acknowledged(isDuplicate) {
        if (isDuplicate) span?.setAttribute("gatehouse.message.duplicate", true);
        end({});
      },
      failed: (error) => end({ "error.type": errorType(error) }),
    };
  };
}
