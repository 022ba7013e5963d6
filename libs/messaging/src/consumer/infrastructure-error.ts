import { isRefusedLogin, isTransientDatabaseError } from "@gatehouse/database";
import { isAppError } from "@gatehouse/errors";

/** Returns true for errors that are not about the event: the database, the bus or a service is down or rejects logins, or a transaction was rolled back for another. */
export function isInfrastructureError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    isAppError(error, "ServiceUnavailable") ||
    isAppError(error, "BadGateway") ||
    isAppError(error, "GatewayTimeout") ||
    isTransientDatabaseError(error) ||
    isRefusedLogin(error) ||
    BUS_ERRORS.has(error.name) ||
    // fetch and the NATS client put the original error into the cause.
    isInfrastructureError(error.cause)
  );
}

/** Compared by name, because the client does not export all of its error classes. */
const BUS_ERRORS = new Set([
  "ClosedConnectionError",
  "ConnectionError",
  "JetStreamNotEnabled",
  "NoRespondersError",
  "RequestError",
  "TimeoutError",
]);
