import { type ErrorCode, isAppError } from "@gatehouse/errors";
import { metrics } from "@opentelemetry/api";

export type RefreshOutcome = "rotated" | "reused" | "refused" | "replayed" | "failed";

type LoginOutcome = "succeeded" | "invalid_credentials" | "inactive" | "overloaded" | "failed";

/** Only the queue of hashing refuses a login as unavailable; a database that is away is an error of the driver's. */
const REFUSED_LOGINS: Partial<Record<ErrorCode, LoginOutcome>> = {
  InvalidCredentials: "invalid_credentials",
  InactiveUser: "inactive",
  ServiceUnavailable: "overloaded",
};

/** Counts logins by what came of them. */
export function createLoginMetric(): <T>(login: Promise<T>) => Promise<T> {
  const logins = metrics.getMeter("gatehouse").createCounter("gatehouse.logins", {
    unit: "{login}",
    description: "Logins by what came of them: succeeded, invalid_credentials, inactive, overloaded, failed.",
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

/** Counts refreshes by what came of them, and the replays among them by themselves: each is a token in two hands. */
export function createRefreshMetric(): (outcome: RefreshOutcome) => void {
  const meter = metrics.getMeter("gatehouse");
  const refreshes = meter.createCounter("gatehouse.refreshes", {
    unit: "{refresh}",
    description: "Refreshes by what came of them: rotated, reused (within the grace), refused, replayed, failed.",
  });
  const replays = meter.createCounter("gatehouse.refresh.replays", {
    unit: "{replay}",
    description: "Families of refresh tokens ended because a rotated token was used again.",
  });
  return (outcome) => {
    refreshes.add(1, { outcome });
    if (outcome === "replayed") replays.add(1);
  };
}
