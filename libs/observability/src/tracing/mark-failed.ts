import { type Span, SpanStatusCode } from "@opentelemetry/api";

/**
 * Says that what the span stands for failed, and by which kind of error (`error.type` of the conventions): its code, else its name.
 * Never the message, which may quote what somebody sent.
 */
export function markFailed(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute("error.type", errorType(error));
}

/** `ECONNREFUSED`, `23505`, `ServiceUnavailable`, `TypeError`. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return "_OTHER";
  const { code } = error as { code?: unknown };
  return typeof code === "string" && code !== "" ? code : error.name;
}
