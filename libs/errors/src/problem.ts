import type { AppError, FieldError } from "./app-error.ts";
import { ERROR_CODES, type ErrorCode } from "./codes.ts";

export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** The body of every error response (RFC 9457, docs/reference/errors.md). */
export interface Problem {
  readonly type: ErrorCode;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly correlation_id: string;
  readonly errors?: readonly FieldError[];
}

/** Returns the public part of an error as a response body. */
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

/** Returns the headers of an error response: `WWW-Authenticate` on 401 (RFC 6750, section 3), `Retry-After` where it is known. */
export function problemHeaders(error: AppError): Record<string, string> {
  const headers: Record<string, string> = { "content-type": PROBLEM_CONTENT_TYPE };
  if (error.status === 401) headers["www-authenticate"] = "Bearer";
  if (error.retryAfter !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(error.retryAfter)));
  else if (error.status === 503) headers["retry-after"] = "1";
  return headers;
}
