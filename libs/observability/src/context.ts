import { AsyncLocalStorage } from "node:async_hooks";
import type { Span, SpanContext } from "@opentelemetry/api";
import { uuidv7 } from "uuidv7";
import { formatTraceparent } from "./traceparent.ts";

/** The ids that connect everything that one request causes (docs/reference/limits.md). */
export interface RequestContext {
  readonly correlationId: string;
  /** The position in the trace, sent as `traceparent`. */
  readonly trace: SpanContext;
  /** The current span, when it is recorded. */
  readonly span?: Span | undefined;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs `work` with `context` as the current one, also for everything it starts. */
export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** Runs `work` and everything it starts outside any context: for work that a request triggers but that does not belong to it. */
export function runOutsideContext<T>(work: () => T): T {
  return storage.exit(work);
}

/** Returns the context of the current request or event; undefined outside one. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

/** Returns the headers that pass a context to another service, by default the current one; none outside a context. */
export function outgoingHeaders(context = currentContext()): Record<string, string> {
  if (!context) return {};
  return { "x-correlation-id": context.correlationId, traceparent: formatTraceparent(context.trace) };
}

const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** Returns the caller's correlation id when it is well formed, else a new UUIDv7 (docs/reference/limits.md). */
export function correlationIdFrom(header: string | undefined): string {
  return header !== undefined && CORRELATION_ID.test(header) ? header : uuidv7();
}
