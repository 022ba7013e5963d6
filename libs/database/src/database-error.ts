import { AppError, isAppError } from "@gatehouse/errors";

/** Network errors: nothing listens, no route, unknown name, broken socket. */
const NETWORK_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** SQLSTATE of a server that stops, starts, is full, is not the primary, or exceeded a time-out. */
const UNAVAILABLE_STATES = new Set([
  "25006", // read_only_sql_transaction: after a failover, or an operator's default_transaction_read_only
  "53100", // disk_full
  "53200", // out_of_memory
  "53300", // too_many_connections
  "53400", // configuration_limit_exceeded
  "55P03", // lock_not_available: lock_timeout
  "57014", // query_canceled: statement_timeout
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "57P05", // idle_session_timeout
  "58030", // io_error
  "25P03", // idle_in_transaction_session_timeout
  "25P04", // transaction_timeout
]);

/** SQLSTATE of a transaction that the database rolled back in favor of another. */
const REPEATABLE_STATES = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
]);

/** Messages of a pool that this process has closed. */
const CLOSED_POOL_MESSAGES = ["Cannot use a pool after calling end on the pool", "driver has already been destroyed"];

/** Messages of errors that pg and kysely report without a code. */
const LOST_CONNECTION_MESSAGES = [
  "Connection terminated",
  "Client has encountered a connection error",
  "Client was closed",
  "Query read timeout",
  "timeout expired",
  "timeout exceeded when trying to connect",
  "Postgres connection has been discarded",
  ...CLOSED_POOL_MESSAGES,
];

/** Returns the SQLSTATE, or the code of a system call. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

function isUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  // SQLSTATE class 08: connection exceptions.
  if (code !== undefined) return NETWORK_CODES.has(code) || UNAVAILABLE_STATES.has(code) || code.startsWith("08");
  return error instanceof Error && LOST_CONNECTION_MESSAGES.some((text) => error.message.startsWith(text));
}

/** Returns true when this process closed its pool, so that a retry cannot succeed. */
export function isPoolClosed(error: unknown): boolean {
  const cause = (isAppError(error) ? error.cause : error) as { message?: unknown } | null | undefined;
  return CLOSED_POOL_MESSAGES.some((text) => String(cause?.message).startsWith(text));
}

/** Returns the error of an unavailable database; `cause` appears only in the log. */
export function databaseUnavailable(cause: unknown): AppError {
  return new AppError("ServiceUnavailable", {
    detail: "The database is unavailable; try again shortly.",
    retryAfter: 1,
    cause,
  });
}

/**
 * Returns ServiceUnavailable for a driver error after which nothing was done and a retry may succeed: the database is down or
 * overloaded, a time-out passed, or the transaction was rolled back for another. Returns undefined for other errors.
 */
export function translateTransientError(error: unknown): AppError | undefined {
  if (isAppError(error)) return undefined;
  return isUnavailable(error) || REPEATABLE_STATES.has(codeOf(error) ?? "") ? databaseUnavailable(error) : undefined;
}

/** Translates like translateTransientError, and also a rejected login, which clients see as an unavailable database. */
export function translateDatabaseError(error: unknown): AppError | undefined {
  return translateTransientError(error) ?? (isRefusedLogin(error) ? databaseUnavailable(error) : undefined);
}

/** Returns true when the same work may succeed later without any change. */
export function isTransientDatabaseError(error: unknown): boolean {
  return isAppError(error, "ServiceUnavailable") || translateTransientError(error) !== undefined;
}

/** Returns true when the server rejects the login: wrong password, missing role or database. An operator must fix it. */
export function isRefusedLogin(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return code.startsWith("28") || code === "3D000";
}

/** Returns the name of the violated constraint or unique index; undefined for other errors. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!codeOf(error)?.startsWith("23")) return undefined;
  const { constraint } = error as { constraint?: unknown };
  return typeof constraint === "string" ? constraint : undefined;
}
