import { type EventEnvelope, STREAMS } from "@gatehouse/contracts";
import type { MsgHdrs } from "@nats-io/nats-core";
import { readEnvelope } from "../read-envelope.ts";
import { matchesSubject } from "../subject-match.ts";
import { LETTER_HEADERS, MESSAGE_ID, REPLAY_HEADERS } from "./letter-headers.ts";

/** A dead letter as DEAD_LETTERS holds it. What its writer did not say is undefined. */
export interface StoredLetter {
  /** Its sequence in DEAD_LETTERS, by which people name it. */
  readonly number: number;
  /** Its own Nats-Msg-Id. */
  readonly messageId: string | undefined;
  readonly diedAt: Date;
  /** The durable consumer that gave up. */
  readonly consumer: string;
  /** The subject on which the event came: its type, when it is an event of ours. */
  readonly subject: string;
  /** The stream from which it came: as its writer says, else the one that has the subject. */
  readonly stream: string | undefined;
  /** Where in it. */
  readonly sequence: number | undefined;
  readonly attempts: number | undefined;
  /** One line without values (describeError). */
  readonly error: string | undefined;
  /** How often it has been replayed so far. */
  readonly replays: number;
  /** As received. */
  readonly headers: MsgHdrs | undefined;
  readonly payload: Uint8Array;
  /** The event without its data; undefined when the payload is no event. */
  readonly envelope: EventEnvelope | undefined;
}

/** A message of DEAD_LETTERS, however it was read. */
interface LetterMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly storedAt: Date;
  readonly headers: MsgHdrs | undefined;
  readonly data: Uint8Array;
}

/** Reads a message on `dead.<consumer>.<subject>`; one that another program wrote without our headers, too. */
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
  return Object.values(STREAMS).find(({ subjects }) => subjects.some((space) => matchesSubject(space, subject)))?.name;
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
