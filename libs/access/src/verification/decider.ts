/** Who decides whether a token with a valid signature is revoked. */
export type Decider = "view" | "auth" | "nobody";

/**
 * The outcome of asking auth. `unreachable`: no connection, or a proxy's 502, 503 or 504.
 * `faulty`: auth is running but gave no result: no response in time, or an unexpected one, such as a problem of its own.
 */
export type AuthState = "answers" | "unreachable" | "faulty";

export interface Situation {
  /** The last live watermark is within the allowed staleness. */
  readonly viewIsCurrent: boolean;
  /** undefined: auth was not asked. */
  readonly auth: AuthState | undefined;
  /** The bus is connected, and the view has read everything that auth published. */
  readonly viewHasCaughtUp: boolean;
}

/**
 * Returns who decides. The view decides while it is current; otherwise auth does. When auth is unreachable and the bus is
 * connected, the view decides: an auth that is down commits nothing, so nothing is missing. In all other cases
 * the status is unknown.
 */
export function deciderFor({ viewIsCurrent, auth, viewHasCaughtUp }: Situation): Decider {
  if (viewIsCurrent) return "view";
  if (auth === undefined || auth === "answers") return "auth";
  return auth === "unreachable" && viewHasCaughtUp ? "view" : "nobody";
}
