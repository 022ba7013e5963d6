const DAY_MS = 86_400_000;

/** One JetStream stream. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly maxAgeMs: number;
  /** JetStream drops a repeated message id within this time. */
  readonly duplicateWindowMs: number;
}

const duplicateWindowMs = 120_000;

/** The streams (docs/reference/events.md). All use file storage, limits retention and discard old. */
export const STREAMS = {
  auth: { name: "AUTH_EVENTS", subjects: ["auth.>"], maxAgeMs: 7 * DAY_MS, duplicateWindowMs },
  user: { name: "USER_EVENTS", subjects: ["user.>"], maxAgeMs: 7 * DAY_MS, duplicateWindowMs },
  deadLetters: { name: "DEAD_LETTERS", subjects: ["dead.>"], maxAgeMs: 30 * DAY_MS, duplicateWindowMs },
} as const satisfies Record<string, StreamDefinition>;

export type StreamName = keyof typeof STREAMS;
