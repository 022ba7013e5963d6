import { type ErrorCode, isAppError } from "@gatehouse/errors";
import { metrics } from "@opentelemetry/api";

export type RefreshOutcome = "rotated" | "reused" | "refused" | "replayed" | "failed";

type LoginOutcome = "succeeded" | "invalid_credentials" | "inactive" | "overloaded" | "failed";

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
