import { AsyncLocalStorage } from "node:async_hooks";
import type { Span, SpanContext } from "@opentelemetry/api";
import { formatTraceparent } from "./traceparent.ts";

/** What ties everything that one request causes together (contract, section 5). */
export interface RequestContext {
  readonly correlationId: string;
  /** Where in its trace the work at hand is; travels on as `traceparent`. */
  readonly trace: SpanContext;
  /** The span of the work at hand, where it is recorded. */
  readonly span?: Span | undefined;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs `work` so that it, and whatever it starts, sees `context` as the current one. */
export function runInContext<T>(context: RequestContext, work: () => T): T {
  return storage.run(context, work);
}

/** Runs `work`, and whatever it starts, outside of any context: for what a request sets off, but which is not done for it. */
export function runOutsideContext<T>(work: () => T): T {
  return storage.exit(work);
}

/** The context of the request or event being handled; undefined outside one. */
export function currentContext(): RequestContext | undefined {
  return storage.getStore();
}

/** The headers that carry a context, the current one by default, to another service; none outside a context. */
export function outgoingHeaders(context = currentContext()): Record<string, string> {
  if (!context) return {};
  return { "x-correlation-id": context.correlationId, traceparent: formatTraceparent(context.trace) };
}
