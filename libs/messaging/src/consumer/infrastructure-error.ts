import { isTransientDatabaseError } from "@gatehouse/database";
import { isAppError } from "@gatehouse/errors";

/** Errors that say nothing about the event: the database, the bus or another service is away, or a transaction lost a race. */
export function isInfrastructureError(error: unknown): boolean {
  return (
    isAppError(error, "ServiceUnavailable") ||
    isAppError(error, "BadGateway") ||
    isAppError(error, "GatewayTimeout") ||
    isTransientDatabaseError(error) ||
    isBusError(error) ||
    isNetworkError(error)
  );
}

/** By name: the client does not export all of its error classes. */
const BUS_ERRORS = new Set([
  "ClosedConnectionError",
  "ConnectionError",
  "JetStreamNotEnabled",
  "NoRespondersError",
  "RequestError",
  "TimeoutError",
]);

function isBusError(error: unknown): boolean {
  return error instanceof Error && BUS_ERRORS.has(error.name);
}

const NETWORK_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN"]);

/** A system error, or fetch's, which carries it as its cause. */
function isNetworkError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return NETWORK_CODES.has(String(code)) || isNetworkError(error.cause);
}
