import { AppError, isAppError } from "@gatehouse/errors";

/** SQLSTATE classes and codes (PostgreSQL, appendix A) that say: not now, perhaps in a moment. */
const UNAVAILABLE_STATES = [
  "08", // connection exception
  "53", // insufficient resources: too many connections, disk full, out of memory
  "57P", // operator intervention: shutdown, crash, cannot connect now
  "57014", // query cancelled: its statement_timeout was over
  "25006", // read-only transaction: a replica that has not been promoted yet
  "55P03", // lock not available: its lock_timeout was over
];
const REPEATABLE_STATES = new Set(["40001", "40P01"]);
const UNAVAILABLE_SYSTEM_ERRORS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
]);
/** What pg says, without a code, when a connection dies or does not come about. */
const UNAVAILABLE_MESSAGES =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client (was closed|has encountered a connection error)|Cannot use a pool after calling end)/;

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? "");
}

function isUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  const code = codeOf(error);
  if (UNAVAILABLE_SYSTEM_ERRORS.has(code)) return true;
  if (UNAVAILABLE_STATES.some((state) => code.startsWith(state))) return true;
  return error instanceof Error && UNAVAILABLE_MESSAGES.test(error.message);
}

/** ServiceUnavailable for an error that says the database is away, overloaded or too slow; undefined for every other. */
export function translateDatabaseError(error: unknown): AppError | undefined {
  if (!isUnavailable(error)) return undefined;
  return new AppError("ServiceUnavailable", { detail: "The database is unavailable", retryAfter: 1, cause: error });
}

/** True when the same work may succeed a moment later: the database is away, or chose this transaction to break a tie. */
export function isTransientDatabaseError(error: unknown): boolean {
  return isAppError(error, "ServiceUnavailable") || isUnavailable(error) || REPEATABLE_STATES.has(codeOf(error));
}

/** The name of the constraint or unique index that refused a row (SQLSTATE class 23), if that is what happened. */
export function violatedConstraint(error: unknown): string | undefined {
  if (!codeOf(error).startsWith("23")) return undefined;
  const name = (error as { constraint?: unknown }).constraint;
  return typeof name === "string" ? name : undefined;
}
