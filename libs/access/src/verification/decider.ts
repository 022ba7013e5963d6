/** Who decides about a token whose signature is good (design, Revocation). */
export type Decider = "view" | "auth" | "nobody";

/**
 * What came of asking auth. `unreachable`: no connection, or 502, 503, 504, by which a proxy before auth says that it is away.
 * `faulty`: it is there, but does not say what was asked: nothing at all in time, or something else (that its database is away,
 * or it does not know our token).
 */
export type AuthState = "answers" | "unreachable" | "faulty";

export interface Situation {
  /** A watermark came in time. */
  readonly viewIsCurrent: boolean;
  /** undefined: auth has not been asked. */
  readonly auth: AuthState | undefined;
  /** The bus is there, and all that auth put on it has been read. */
  readonly viewHasCaughtUp: boolean;
}

/**
 * The view decides while it is current. Otherwise auth is asked. When auth cannot be reached but the bus can, the view
 * goes on: a dead auth commits nothing, so nothing is missing. With both away, or with an auth that lives and does not say, nobody knows.
 */
export function deciderFor({ viewIsCurrent, auth, viewHasCaughtUp }: Situation): Decider {
  if (viewIsCurrent) return "view";
  if (auth === undefined || auth === "answers") return "auth";
  return auth === "unreachable" && viewHasCaughtUp ? "view" : "nobody";
}
