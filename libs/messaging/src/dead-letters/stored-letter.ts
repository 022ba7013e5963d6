import { type EventEnvelope, STREAMS } from "@gatehouse/contracts";
import type { MsgHdrs } from "@nats-io/nats-core";
import { readEnvelope } from "../consumer/read-event.ts";
import { matchesSubject } from "../streams.ts";
import { LETTER_HEADERS, MESSAGE_ID, REPLAY_HEADERS } from "./letter-headers.ts";

/** A dead letter as stored in DEAD_LETTERS. Values that its writer did not set are undefined. */
export interface StoredLetter {
  /** Its sequence in DEAD_LETTERS, by which operators identify it. */
  readonly number: number;
  /** Its own Nats-Msg-Id. */
  readonly messageId: string | undefined;
  readonly diedAt: Date;
  /** The durable consumer that gave up. */
  readonly consumer: string;
  /** The subject of the event, which is its type. */
  readonly subject: string;
  /** The event's stream: as the letter's writer set it, else the stream that has the subject. */
  readonly stream: string | undefined;
  /** The event's sequence in it. */
  readonly sequence: number | undefined;
  readonly attempts: number | undefined;
  /** One line without values (describeError). */
  readonly error: string | undefined;
  /** How often it has been replayed. */
  readonly replays: number;
  /** As received. */
  readonly headers: MsgHdrs | undefined;
  readonly payload: Uint8Array;
  /** The event without its data; undefined when the payload is not an event. */
  readonly envelope: EventEnvelope | undefined;
}

/** A message of DEAD_LETTERS, read by any means. */
interface LetterMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly storedAt: Date;
  readonly headers: MsgHdrs | undefined;
  readonly data: Uint8Array;
}

/** Parses a message on `dead.<consumer>.<subject>`, also one that another program wrote without these headers. */
export function readLetter(message: LetterMessage): StoredLetter {
  const [, consumer = "", ...tokens] = message.subject.split(".");
  const subject = tokens.join(".");
  const header = (name: string): string | undefined => message.headers?.get(name) || undefined;
  const count = (name: string): number | undefined => wholeNumber(header(name));
  return {
    number: message.sequence,
    messageId: header(MESSAGE_ID),
    diedAt: message.storedAt,
    consumer,
    subject,
    stream: header(LETTER_HEADERS.stream) ?? streamOf(subject),
    sequence: count(LETTER_HEADERS.sequence),
    attempts: count(LETTER_HEADERS.attempts),
    error: header(LETTER_HEADERS.error),
    replays: count(REPLAY_HEADERS.count) ?? 0,
    headers: message.headers,
    payload: message.data,
    envelope: readEnvelope(message.data),
  };
}

function streamOf(subject: string): string | undefined {
  return Object.values(STREAMS).find(({ subjects }) => subjects.some((pattern) => matchesSubject(pattern, subject)))
    ?.name;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
