import { randomBytes } from "node:crypto";
import { type SpanContext, TraceFlags } from "@opentelemetry/api";

// Version 00 has exactly four fields; a later version may append more, which a reader of version 00 leaves off
// (W3C Trace Context, section 3.2.2). ff is no version, and ids of zeroes only are void.
const TRACEPARENT =
  /^(?!ff)(?<version>[0-9a-f]{2})-(?!0{32})(?<trace>[0-9a-f]{32})-(?!0{16})(?<span>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<rest>-.*)?$/;

/** The span that a `traceparent` names; undefined when it is missing or not valid. */
export function parseTraceparent(header: string | undefined): SpanContext | undefined {
  const groups = header === undefined ? undefined : TRACEPARENT.exec(header)?.groups;
  if (!groups || (groups["version"] === "00" && groups["rest"] !== undefined)) return undefined;
  const { trace = "", span = "", flags = "" } = groups;
  // Of the flags version 00 knows one.
  return { traceId: trace, spanId: span, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

/** The `traceparent` of a span, in version 00. */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`;
}

/** A place in a trace for work that no SDK gives one: within the caller's trace, or in a new one. */
export function newTraceContext(caller: SpanContext | undefined): SpanContext {
  return {
    traceId: caller?.traceId ?? randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    traceFlags: caller?.traceFlags ?? TraceFlags.SAMPLED,
  };
}
