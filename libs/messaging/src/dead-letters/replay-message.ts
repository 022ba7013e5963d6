import { headers, type MsgHdrs } from "@nats-io/nats-core";
import { isServersOwn, LETTER_HEADERS, REPLAY_HEADERS } from "./letter-headers.ts";
import type { StoredLetter } from "./stored-letter.ts";

export interface ReplayMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
  readonly msgID: string;
}

const WRITTEN_BY_US: ReadonlySet<string> = new Set(
  [...Object.values(LETTER_HEADERS), ...Object.values(REPLAY_HEADERS)].map((name) => name.toLowerCase()),
);

/**
 * The event as it was first received, addressed to the consumer that gave up on it.
 *
 * Its Nats-Msg-Id follows from the letter's own, which names one delivery of one stored message. So a replay that is repeated, because
 * the process died before the letter was deleted or because two people run it, is dropped by the server within the stream's duplicate window,
 * and after it is one more delivery of the same event id. A letter that the replay becomes again is of another delivery, and its replay
 * has another id. The event's own id would be dropped as a duplicate of the first publish.
 */
export function replayMessage(letter: StoredLetter): ReplayMessage {
  const message = headers();
  for (const [name, values] of letter.headers ?? []) {
    if (isServersOwn(name) || WRITTEN_BY_US.has(name.toLowerCase())) continue;
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

/** True for a replayed letter of another consumer: this one has dealt with the event when it first came. */
export function isReplayForAnother(durable: string, received: MsgHdrs | undefined): boolean {
  const wanted = received?.get(REPLAY_HEADERS.consumer);
  return wanted !== undefined && wanted !== "" && wanted !== durable;
}
