import { newId, type GatehouseEvent } from "@gatehouse/contracts";
import { errorType, markFailed, openContext, runInContext } from "@gatehouse/observability";
import { metrics } from "@opentelemetry/api";
import type { Delivered } from "../jetstream/delivered.ts";
import { describeProcessing } from "../telemetry/describe-processing.ts";
import { DURATION_BOUNDARIES, messageAttributes } from "../telemetry/message-attributes.ts";

/** One attempt at one message. */
export interface ProcessAttempt {
  readonly message: Delivered;
  /** undefined when the message is not an event. */
  readonly event: GatehouseEvent | undefined;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** The outcome: the handler succeeded, failed in a way that counts, failed by its infrastructure, or the event became a dead letter. */
export type ProcessResult =
  | { readonly outcome: "handled" }
  | { readonly outcome: "failed" | "paused" | "dead_lettered"; readonly error: unknown };

/**
 * Returns a function that records an attempt: a CONSUMER span, in whose context `work` runs, and `messaging.process.duration`. Call
 * it after telemetry has started.
 */
export function createProcessRecorder(
  durable: string,
): (subject: ProcessAttempt, work: () => Promise<ProcessResult>) => Promise<ProcessResult> {
  const duration = metrics.getMeter("gatehouse").createHistogram("messaging.process.duration", {
    unit: "s",
    description: "How long handlers took for an event, each attempt separately.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });

  return async ({ message, event, attempt }, work) => {
    const startedAt = performance.now();
    const attributes = { "gatehouse.message.attempt": attempt, "gatehouse.message.deliveries": message.deliveries };
    const context = openContext({
      correlationId: event?.correlationid ?? newId(),
      ...describeProcessing({ message, event, group: durable, attributes }),
    });
    const result = await runInContext(context, work);
    const failure = "error" in result ? { "error.type": errorType(result.error) } : undefined;
    duration.record((performance.now() - startedAt) / 1_000, {
      ...messageAttributes("process", message.subject),
      "messaging.consumer.group.name": durable,
      ...failure,
    });
    if ("error" in result && context.span) markFailed(context.span, result.error);
    context.span?.setAttribute("gatehouse.message.outcome", result.outcome).end();
    return result;
  };
}
