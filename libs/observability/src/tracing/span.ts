import {
  type Attributes,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanKind,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { currentContext, type RequestContext, runInContext } from "../context.ts";
import { newTraceContext, parseTraceparent } from "../traceparent.ts";
import { markFailed } from "./mark-failed.ts";

/** A span by OpenTelemetry's semantic conventions. It must not contain personal data or secrets. */
export interface SpanDescription {
  /** A name with few different values: `GET /v1/users/{id}`, not the path. */
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: Link[];
  /** An earlier start: a value of `performance.now()`. */
  readonly startTime?: number;
}

/** A received request or message. */
export interface Received {
  readonly correlationId: string;
  /** As received, possibly invalid. */
  readonly traceparent: string | undefined;
  /** Not set for work that is never traced, such as health checks; nothing within it is recorded either. */
  readonly span?: SpanDescription;
}

/**
 * Returns the context of a request or message, with a span that is a child of the sender's. The sampler (OTEL_TRACES_SAMPLER) decides
 * whether it is recorded. The caller ends the span.
 */
export function openContext({ correlationId, traceparent, span: description }: Received): RequestContext {
  const sender = parseTraceparent(traceparent);
  // Called services must not record it either.
  if (!description) return { correlationId, trace: { ...newTraceContext(sender), traceFlags: TraceFlags.NONE } };
  const parent = sender ? trace.setSpanContext(ROOT_CONTEXT, sender) : ROOT_CONTEXT;
  const span = tracer().startSpan(description.name, description, parent);
  const own = span.spanContext();
  // Without an SDK the API returns the sender's own context, or an invalid one.
  const isGiven = trace.isSpanContextValid(own) && own.spanId !== sender?.spanId;
  return {
    correlationId,
    trace: isGiven ? own : newTraceContext(sender),
    ...(span.isRecording() && { span }),
  };
}

/**
 * Runs `work` in a child span of the current one and ends it; an error marks the span as failed. When the current work is not recorded
 * there is no span and almost no cost.
 */
export function inSpan<T>(description: SpanDescription, work: (span?: Span) => Promise<T>): Promise<T> {
  const context = currentContext();
  const span = startChild(description, context);
  if (!context || !span) return work();
  return runInContext({ ...context, trace: span.spanContext(), span }, async () => {
    try {
      return await work(span);
    } catch (error) {
      markFailed(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Returns a child span of `context` that the caller ends; undefined when nothing is recorded. */
export function startChild(description: SpanDescription, context = currentContext()): Span | undefined {
  if (!context?.span) return undefined;
  return tracer().startSpan(description.name, description, trace.setSpan(ROOT_CONTEXT, context.span));
}

/**
 * Returns a child span of a received `traceparent`, for work on a message without a context; the caller ends it. Returns undefined
 * when the parent is missing or not recorded.
 */
export function startRemoteChild(description: SpanDescription, traceparent: string | undefined): Span | undefined {
  const sender = parseTraceparent(traceparent);
  if (!sender || (sender.traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  const span = tracer().startSpan(description.name, description, trace.setSpanContext(ROOT_CONTEXT, sender));
  return span.isRecording() ? span : undefined;
}

/** Requested each time: a tracer created before the SDK started would record nothing. */
function tracer() {
  return trace.getTracer("gatehouse");
}
