import { errorType, formatTraceparent, startRemoteChild } from "@gatehouse/observability";
import { type Attributes, metrics, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { ClaimedRow } from "../relay/claim.ts";
import { DURATION_BOUNDARIES, messageAttributes } from "./message-attributes.ts";

/** A row on its way to the stream. What becomes of it is to be said once; what is said after that counts no more. */
export interface Publication {
  /** What the message is to carry: its own span's where that is recorded, else that of the request that wrote the row. */
  readonly traceparent: string | undefined;
  /** @param isDuplicate the stream had it before */
  acknowledged(isDuplicate: boolean): void;
  failed(error: unknown): void;
}

/** Records publishes: a PRODUCER span each, in the trace of the request that wrote the row, and `messaging.client.operation.duration`. */
export type PublishRecorder = (row: Pick<ClaimedRow, "id" | "subject" | "headers">) => Publication;

/** To be made after telemetry has started. */
export function createPublishRecorder(): PublishRecorder {
  const duration = metrics.getMeter("gatehouse").createHistogram("messaging.client.operation.duration", {
    unit: "s",
    description: "How long JetStream took to acknowledge an event, each try by itself.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });

  return ({ id, subject, headers }) => {
    const startedAt = performance.now();
    const attributes = { ...messageAttributes("publish", subject), "messaging.operation.type": "send" };
    // That request may be long over, and have been another process's: the row is all there is of it.
    const span = startRemoteChild(
      {
        name: `publish ${subject}`,
        kind: SpanKind.PRODUCER,
        attributes: { ...attributes, "messaging.message.id": id },
      },
      headers["traceparent"],
    );
    let isOver = false;

    function end(outcome: Attributes): void {
      if (isOver) return;
      isOver = true;
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
