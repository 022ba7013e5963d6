import { AppError, isAppError } from "@gatehouse/errors";

/** Of the network: nobody listens, the way is gone, the name is unknown, the socket broke. */
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

/** SQLSTATE of a server that is going, coming, full, no primary any more, or took longer than it is allowed to. */
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

/** SQLSTATE of a transaction that the database gave up in favour of another one. */
const REPEATABLE_STATES = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
]);

/** Of who uses a pool that this process has closed. */
const CLOSED_POOL_MESSAGES = ["Cannot use a pool after calling end on the pool", "driver has already been destroyed"];

/** pg and kysely report these without a code. */
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

/** SQLSTATE, or the code of a system call. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

function isUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  // Class 08 is SQL's own for connection exceptions.
  if (code !== undefined) return NETWORK_CODES.has(code) || UNAVAILABLE_STATES.has(code) || code.startsWith("08");
  return error instanceof Error && LOST_CONNECTION_MESSAGES.some((text) => error.message.startsWith(text));
}

/** Whether this process has closed its own pool, so that nothing comes of another try. */
export function isPoolClosed(error: unknown): boolean {
  const cause = (isAppError(error) ? error.cause : error) as { message?: unknown } | null | undefined;
  return CLOSED_POOL_MESSAGES.some((text) => String(cause?.message).startsWith(text));
}

/** The error of a database that does not serve now; `cause` is for the log. */
export function databaseUnavailable(cause: unknown): AppError {
  return new AppError("ServiceUnavailable", { detail: "The database is unavailable", retryAfter: 1, cause });
}

/**
 * ServiceUnavailable for an error of the driver that says that nothing was done and that another try may succeed: the
 * database is away or overloaded, a time-out passed, or another transaction was preferred. Undefined for every other error.
 */
export function translateTransientError(error: unknown): AppError | undefined {
  if (isAppError(error)) return undefined;
  return isUnavailable(error) || REPEATABLE_STATES.has(codeOf(error) ?? "") ? databaseUnavailable(error) : undefined;
}

/** As translateTransientError, and for a server that does not let us in: to a client that is one that is away, too. */
export function translateDatabaseError(error: unknown): AppError | undefined {
  return translateTransientError(error) ?? (isRefusedLogin(error) ? databaseUnavailable(error) : undefined);
}

/** True when the same work may succeed later without anybody changing anything. */
export function isTransientDatabaseError(error: unknown): boolean {
  return isAppError(error, "ServiceUnavailable") || translateTransientError(error) !== undefined;
}

/** True when the server does not let this role in: the password was changed, the role or the database is gone. An operator has to mend it. */
export function isRefusedLogin(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return code.startsWith("28") || code === "3D000";
}

/** The name of the constraint or unique index that the statement would have violated. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!codeOf(error)?.startsWith("23")) return undefined;
  const { constraint } = error as { constraint?: unknown };
  return typeof constraint === "string" ? constraint : undefined;
}
