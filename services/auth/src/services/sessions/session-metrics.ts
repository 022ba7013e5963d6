import type { EventData, GatehouseEvent } from "@gatehouse/contracts";
import { type ErrorCode, isAppError } from "@gatehouse/errors";
import type { OutboxInsert } from "@gatehouse/messaging";
import { metrics } from "@opentelemetry/api";
import type { EndReason } from "../../repositories/sessions/session.repository.ts";

export type RefreshOutcome = "rotated" | "reused" | "refused" | "replayed" | "failed";

type LoginOutcome = "succeeded" | "invalid_credentials" | "inactive" | "overloaded" | "failed";

type RevocationReason = EndReason | "key_retired";

/** Only the hashing queue throws ServiceUnavailable here; an unavailable database is a driver error. */
const REFUSED_LOGINS: Partial<Record<ErrorCode, LoginOutcome>> = {
  InvalidCredentials: "invalid_credentials",
  InactiveUser: "inactive",
  ServiceUnavailable: "overloaded",
};

/** Counts logins by outcome. */
export function createLoginMetric(): <T>(login: Promise<T>) => Promise<T> {
  const logins = metrics.getMeter("gatehouse").createCounter("gatehouse.logins", {
    unit: "{login}",
    description: "Logins by outcome: succeeded, invalid_credentials, inactive, overloaded, failed.",
  });
  const count = (outcome: LoginOutcome) => logins.add(1, { outcome });

  return async (login) => {
    try {
      const result = await login;
      count("succeeded");
      return result;
    } catch (error) {
      count((isAppError(error) && REFUSED_LOGINS[error.code]) || "failed");
      throw error;
    }
  };
}

/** Counts refreshes by outcome, and replays separately: each replay means that two clients hold one token. */
export function createRefreshMetric(): (outcome: RefreshOutcome) => void {
  const meter = metrics.getMeter("gatehouse");
  const refreshes = meter.createCounter("gatehouse.refreshes", {
    unit: "{refresh}",
    description: "Refreshes by outcome: rotated, reused (within the grace), refused, replayed, failed.",
  });
  const replays = meter.createCounter("gatehouse.refresh.replays", {
    unit: "{replay}",
    description: "Sessions ended because a rotated refresh token was used again.",
  });
  return (outcome) => {
    refreshes.add(1, { outcome });
    if (outcome === "replayed") replays.add(1);
  };
}

/** Counts the revocations in the events of a committed transaction, by reason. */
export function createRevocationMetric(): (committed: readonly OutboxInsert[]) => void {
  const revocations = metrics.getMeter("gatehouse").createCounter("gatehouse.revocations", {
    unit: "{revocation}",
    description: "Committed revocations of tokens, by reason.",
  });
  return (committed) => {
    for (const reason of reasonsOf(committed)) revocations.add(1, { reason });
  };
}

/**
 * Returns one reason for each user, session or key. One command may set a password and deactivate the account;
 * the last of its events has the reason that ended the sessions (planAccountChange).
 */
function reasonsOf(committed: readonly OutboxInsert[]): Iterable<RevocationReason> {
  const reasons = new Map<string, RevocationReason>();
  for (const { revoking, payload } of committed) {
    const event = revoking ? (JSON.parse(payload) as GatehouseEvent) : undefined;
    const reason = event && reasonOf(event);
    if (event && reason) reasons.set(event.subject, reason);
  }
  return reasons.values();
}

function reasonOf(event: GatehouseEvent): RevocationReason | undefined {
  switch (event.type) {
    case "auth.session.revoked":
    case "auth.sessions.revoked":
      return (event.data as EventData<"auth.session.revoked" | "auth.sessions.revoked">).reason;
    case "auth.password.changed":
      return "password_changed";
    case "auth.account.deleted":
      // Without an actor it is the erasure of an account whose tokens ended when it was deleted.
      return event.actor === undefined ? undefined : "deleted";
    case "auth.key.retired":
      return "key_retired";
    default:
      return undefined;
  }
}
