import { ERROR_CODES, type ErrorCode } from "./codes.ts";

/** One rejected field: `path` is dotted (`body.email`), `message` describes a valid value and never repeats the rejected one. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

interface AppErrorOptions {
  /** The text for the client. Public: no internal address, SQL, secret or personal data. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Seconds for the `Retry-After` header. */
  readonly retryAfter?: number;
  /** A more specific status of the same class, such as 431 for headers. */
  readonly status?: number;
  /** Appears only in the log. */
  readonly cause?: unknown;
}

/**
 * The only error that crosses layers: a code of the closed union, a public text and a private cause. The HTTP layer turns any other error
 * into InternalError.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, options: AppErrorOptions = {}) {
    super(options.detail ?? ERROR_CODES[code].title, { cause: options.cause });
    this.name = code;
    this.code = code;
    this.status = options.status ?? ERROR_CODES[code].status;
    this.detail = this.message;
    this.errors = options.errors;
    this.retryAfter = options.retryAfter;
  }
}

/** Returns true for an AppError, with `code` only for one with that code. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}
