import type { AppError, FieldError } from "./app-error.ts";
import { ERROR_CODES, type ErrorCode } from "./codes.ts";

export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** The body of every error answer (RFC 9457; contract, section 3). */
export interface Problem {
  readonly type: ErrorCode;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly correlation_id: string;
  readonly errors?: readonly FieldError[];
}

/** The public half of an error, ready to send. */
export function toProblem(error: AppError, correlationId: string): Problem {
  return {
    type: error.code,
    title: ERROR_CODES[error.code].title,
    status: error.status,
    detail: error.detail,
    correlation_id: correlationId,
    ...(error.errors && { errors: error.errors }),
  };
}

/** The headers that go with an error: `WWW-Authenticate` on 401 (RFC 6750, section 3), `Retry-After` where one is known. */
export function problemHeaders(error: AppError): Record<string, string> {
  const headers: Record<string, string> = { "content-type": PROBLEM_CONTENT_TYPE };
  if (error.status === 401) headers["www-authenticate"] = "Bearer";
  if (error.retryAfter !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(error.retryAfter)));
  else if (error.status === 503) headers["retry-after"] = "1";
  return headers;
}
