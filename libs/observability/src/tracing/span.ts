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

/** A span by OpenTelemetry's semantic conventions. Nothing in it may be personal or secret. */
export interface SpanDescription {
  /** Of few different values: `GET /v1/users/{id}`, not the path. */
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: Link[];
  /** Where it began before it is described: a reading of `performance.now()`. */
  readonly startTime?: number;
}

/** What reached this process: a request or a message. */
export interface Received {
  readonly correlationId: string;
  /** As it came, valid or not. */
  readonly traceparent: string | undefined;
  /** Left out for what is never traced, such as health checks: nothing within it is recorded either. */
  readonly span?: SpanDescription;
}

/**
 * The context of a request or message, with the first span of this process in its trace: a child of the sender's. Whether the span is
 * recorded is the sampler's choice (OTEL_TRACES_SAMPLER). Whoever opens a context ends its span.
 */
export function openContext({ correlationId, traceparent, span: description }: Received): RequestContext {
  const sender = parseTraceparent(traceparent);
  // Whoever is called in here must not record it either.
  if (!description) return { correlationId, trace: { ...newTraceContext(sender), traceFlags: TraceFlags.NONE } };
  const parent = sender ? trace.setSpanContext(ROOT_CONTEXT, sender) : ROOT_CONTEXT;
  const span = tracer().startSpan(description.name, description, parent);
  const own = span.spanContext();
  // Without an SDK the API hands out the sender's own context, or a void one.
  const isGiven = trace.isSpanContextValid(own) && own.spanId !== sender?.spanId;
  return {
    correlationId,
    trace: isGiven ? own : newTraceContext(sender),
    ...(span.isRecording() && { span }),
  };
}

/**
 * Runs `work` in a span within the current one, and ends it. What the work throws marks the span as failed. Where the current work is not
 * recorded there is no span, and next to no cost.
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

/** A span within the one of `context`, for work that is no promise: the caller ends it. undefined where nothing is recorded. */
export function startChild(description: SpanDescription, context = currentContext()): Span | undefined {
  if (!context?.span) return undefined;
  return tracer().startSpan(description.name, description, trace.setSpan(ROOT_CONTEXT, context.span));
}

/**
 * A span within the one that a `traceparent` from elsewhere names, for work on a message that opens no context: the caller ends it.
 * undefined where that one is not recorded, or there is none.
 */
export function startRemoteChild(description: SpanDescription, traceparent: string | undefined): Span | undefined {
  const sender = parseTraceparent(traceparent);
  if (!sender || (sender.traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  const span = tracer().startSpan(description.name, description, trace.setSpanContext(ROOT_CONTEXT, sender));
  return span.isRecording() ? span : undefined;
}

/** Asked for each time: what is asked before the SDK has started would know of none. */
function tracer() {
  return trace.getTracer("gatehouse");
}
