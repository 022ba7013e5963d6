import { type Span, SpanStatusCode } from "@opentelemetry/api";

/**
 * Marks a span as failed, with the error's code, else its name, as `error.type`. Never records the message, which may quote user
 * input.
 */
export function markFailed(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute("error.type", errorType(error));
}

/** Returns the `error.type`: `ECONNREFUSED`, `23505`, `ServiceUnavailable` or `TypeError`. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return "_OTHER";
  const { code } = error as { code?: unknown };
  return typeof code === "string" && code !== "" ? code : error.name;
}
