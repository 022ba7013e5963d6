import { ERROR_CODES, type ErrorCode } from "./codes.ts";

/** One refused field: `path` is dotted (`body.email`), `message` says what would be right and never repeats the value. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface AppErrorOptions {
  /** What the client reads. Public: no internal address, SQL text, secret or personal data. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Seconds for the `Retry-After` header. */
  readonly retryAfter?: number;
  /** Another status of the same class for the code, where HTTP has a more exact one (431 for headers). */
  readonly status?: number;
  /** What only the log sees. */
  readonly cause?: unknown;
}

/**
 * The one error that crosses layers on purpose: a code of the closed union, a public text, and a private cause.
 * Whatever else reaches the edge is a bug and becomes InternalError there.
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

/** True for an AppError, and with `code` only for one of that code. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}
