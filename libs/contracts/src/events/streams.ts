const SECOND = 1_000;
const DAY = 86_400 * SECOND;

/** One JetStream stream; durations in milliseconds. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly maxAge: number;
  readonly duplicateWindow: number;
}

const duplicateWindow = 120 * SECOND;

/** The streams, defined once (contract, section 6). All use file storage, limits retention and discard old. */
export const STREAMS = {
  auth: { name: "AUTH_EVENTS", subjects: ["auth.>"], maxAge: 7 * DAY, duplicateWindow },
  user: { name: "USER_EVENTS", subjects: ["user.>"], maxAge: 7 * DAY, duplicateWindow },
  deadLetters: { name: "DEAD_LETTERS", subjects: ["dead.>"], maxAge: 30 * DAY, duplicateWindow },
} as const satisfies Record<string, StreamDefinition>;
