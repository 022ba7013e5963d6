import { randomBytes } from "node:crypto";
import { type SpanContext, TraceFlags } from "@opentelemetry/api";

// Version 00 has exactly four fields. Later versions may append fields, which a reader of version 00 ignores
// (W3C Trace Context, section 3.2.2). Version ff and ids of zeros are invalid.
const TRACEPARENT =
  /^(?!ff)(?<version>[0-9a-f]{2})-(?!0{32})(?<trace>[0-9a-f]{32})-(?!0{16})(?<span>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})(?<rest>-.*)?$/;

/** Returns the span of a `traceparent`; undefined when it is missing or invalid. */
export function parseTraceparent(header: string | undefined): SpanContext | undefined {
  const groups = header === undefined ? undefined : TRACEPARENT.exec(header)?.groups;
  if (!groups || (groups["version"] === "00" && groups["rest"] !== undefined)) return undefined;
  const { trace = "", span = "", flags = "" } = groups;
  // Version 00 defines one flag.
  return { traceId: trace, spanId: span, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
}

/** Returns the `traceparent` of a span, in version 00. */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`;
}

/** Returns a span context for work without an SDK: in the caller's trace, or in a new one. */
export function newTraceContext(caller: SpanContext | undefined): SpanContext {
  return {
    traceId: caller?.traceId ?? randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    traceFlags: caller?.traceFlags ?? TraceFlags.SAMPLED,
  };
}
