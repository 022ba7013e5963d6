/** Headers added to a dead letter. It keeps the headers of the message as received. */
export const LETTER_HEADERS = {
  consumer: "Gatehouse-Consumer",
  subject: "Gatehouse-Subject",
  stream: "Gatehouse-Stream",
  sequence: "Gatehouse-Sequence",
  storedAt: "Gatehouse-Stored-At",
  attempts: "Gatehouse-Attempts",
  error: "Gatehouse-Error",
  /** The message's own Nats-Msg-Id; the letter has another, because several consumers may give up on one event. */
  messageId: "Gatehouse-Msg-Id",
} as const;

/** Headers added to a replayed message. A dead letter made of it keeps them. */
export const REPLAY_HEADERS = {
  /** The consumer that must handle it; the others handled the first delivery. */
  consumer: "Gatehouse-Replay-For",
  /** How often it has been replayed. */
  count: "Gatehouse-Replays",
} as const;

export const MESSAGE_ID = "Nats-Msg-Id";

/** Returns true for headers that the server sets or interprets; they belong to the first publish. */
export function isServersOwn(name: string): boolean {
  return name.toLowerCase().startsWith("nats-");
}
