/** Who decides about a token whose signature is good (design, Revocation). */
export type Decider = "view" | "auth" | "nobody";

export interface Situation {
  /** A watermark came in time. */
  readonly viewIsCurrent: boolean;
  /** auth answered when it was asked. undefined: it has not been asked. */
  readonly authAnswers: boolean | undefined;
  /** The bus is there, and all that it holds has been read. */
  readonly viewHasCaughtUp: boolean;
}

/**
 * The view decides while it is current. Otherwise auth is asked. When auth does not answer either but the bus does, the view
 * goes on: a dead auth commits nothing, so nothing is missing. With both away nobody knows.
 */
export function deciderFor({ viewIsCurrent, authAnswers, viewHasCaughtUp }: Situation): Decider {
  if (viewIsCurrent) return "view";
  if (authAnswers !== false) return "auth";
  return viewHasCaughtUp ? "view" : "nobody";
}
