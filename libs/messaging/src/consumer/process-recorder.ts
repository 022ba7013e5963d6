import { newId, type GatehouseEvent } from "@gatehouse/contracts";
import { errorType, markFailed, openContext, runInContext } from "@gatehouse/observability";
import { metrics } from "@opentelemetry/api";
import type { Delivered } from "../jetstream/delivered.ts";
import { describeProcessing } from "../telemetry/describe-processing.ts";
import { DURATION_BOUNDARIES, messageAttributes } from "../telemetry/message-attributes.ts";

/** One try at one message. */
export interface ProcessTry {
  readonly message: Delivered;
  /** undefined when the message is no event. */
  readonly event: GatehouseEvent | undefined;
  /** 1 for the first try. */
  readonly attempt: number;
}

/** What came of it: the handler succeeded, a failure that counted, one of infrastructure, or it was put to the dead letters. */
export type ProcessResult =
  | { readonly outcome: "handled" }
  | { readonly outcome: "failed" | "paused" | "dead_lettered"; readonly error: unknown };

/**
 * Records what a durable consumer does with events: a CONSUMER span each, in whose context `work` runs, and
 * `messaging.process.duration`. To be made after telemetry has started.
 */
export function createProcessRecorder(
  durable: string,
): (subject: ProcessTry, work: () => Promise<ProcessResult>) => Promise<ProcessResult> {
  const duration = metrics.getMeter("gatehouse").createHistogram("messaging.process.duration", {
    unit: "s",
    description: "How long handlers took for an event, each try by itself.",
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
