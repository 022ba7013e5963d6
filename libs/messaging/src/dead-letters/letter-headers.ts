/** The headers of a dead letter, beside those of the message as received. */
export const LETTER_HEADERS = {
  consumer: "Gatehouse-Consumer",
  subject: "Gatehouse-Subject",
  stream: "Gatehouse-Stream",
  sequence: "Gatehouse-Sequence",
  storedAt: "Gatehouse-Stored-At",
  attempts: "Gatehouse-Attempts",
  error: "Gatehouse-Error",
  /** The message's own Nats-Msg-Id; the letter has another, since several consumers may give up on one event. */
  messageId: "Gatehouse-Msg-Id",
} as const;

/** The headers of a replayed letter. A letter that it becomes again keeps them. */
export const REPLAY_HEADERS = {
  /** The one consumer that is to handle it; the others have done so when it first came. */
  consumer: "Gatehouse-Replay-For",
  /** How often it has been replayed. */
  count: "Gatehouse-Replays",
} as const;

export const MESSAGE_ID = "Nats-Msg-Id";

/** True for headers that the server acts upon, or puts there: they were meant for another publish. */
export function isServersOwn(name: string): boolean {
  return name.toLowerCase().startsWith("nats-");
}
