import { headers, type MsgHdrs } from "@nats-io/nats-core";
import { isServersOwn, LETTER_HEADERS, REPLAY_HEADERS } from "./letter-headers.ts";
import type { StoredLetter } from "./stored-letter.ts";

export interface ReplayMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
  readonly msgID: string;
}

const OWN_HEADERS: ReadonlySet<string> = new Set(
  [...Object.values(LETTER_HEADERS), ...Object.values(REPLAY_HEADERS)].map((name) => name.toLowerCase()),
);

/**
 * Returns the event as first received, addressed to the consumer that gave up on it.
 *
 * Its Nats-Msg-Id is derived from the letter's id, which identifies one delivery of one stored message. The server therefore drops a
 * repeated replay within the stream's duplicate window; after it, the replay is one more delivery of the same event id. A letter made
 * of a replay has another id. The event's own id would be dropped as a duplicate of the first publish.
 */
export function replayMessage(letter: StoredLetter): ReplayMessage {
  const message = headers();
  for (const [name, values] of letter.headers ?? []) {
    if (isServersOwn(name) || OWN_HEADERS.has(name.toLowerCase())) continue;
    for (const value of values) message.append(name, value);
  }
  message.set(REPLAY_HEADERS.consumer, letter.consumer);
  message.set(REPLAY_HEADERS.count, String(letter.replays + 1));
  return {
    subject: letter.subject,
    payload: letter.payload,
    headers: message,
    msgID: `replay:${letter.messageId ?? `${letter.number}:${letter.diedAt.getTime()}`}`,
  };
}

/** Returns true for a message that was replayed for another consumer; this one handled the first delivery. */
export function isReplayForAnother(durable: string, received: MsgHdrs | undefined): boolean {
  const wanted = received?.get(REPLAY_HEADERS.consumer);
  return wanted !== undefined && wanted !== "" && wanted !== durable;
}
