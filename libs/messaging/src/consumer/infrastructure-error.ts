import { isRefusedLogin, isTransientDatabaseError } from "@gatehouse/database";
import { isAppError } from "@gatehouse/errors";

/** Errors that say nothing about the event: the database, the bus or another service is away or lets nobody in, or a transaction lost a race. */
export function isInfrastructureError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    isAppError(error, "ServiceUnavailable") ||
    isAppError(error, "BadGateway") ||
    isAppError(error, "GatewayTimeout") ||
    isTransientDatabaseError(error) ||
    isRefusedLogin(error) ||
    BUS_ERRORS.has(error.name) ||
    // fetch and the NATS client say what it was in the cause.
    isInfrastructureError(error.cause)
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
