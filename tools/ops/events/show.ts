import type { EventEnvelope } from "@gatehouse/contracts";
import type { StoredLetter } from "@gatehouse/messaging";
import { briefAge, printable } from "../terminal.ts";

/** A message of a stream. */
export interface SeenEvent {
  readonly stream: string;
  readonly sequence: number;
  readonly storedAt: Date;
  /** Its subject; of a dead letter the subject of the event inside. */
  readonly type: string;
  /** Undefined when the message is not an event. */
  readonly envelope: EventEnvelope | undefined;
  readonly payload: Uint8Array;
  /** Of a dead letter. */
  readonly letter: StoredLetter | undefined;
}

const NO_EVENT = "not an event";
const NO_ERROR = "no error named";

const joined = (parts: readonly (string | false | undefined)[]) =>
  printable(parts.filter((part) => typeof part === "string").join("  "));

/** Returns one line for people. The data may be personal: only `withData` shows them. */
export function eventLine({ envelope, letter, payload, storedAt, type }: SeenEvent, withData: boolean): string {
  return joined([
    envelope?.time ?? storedAt.toISOString(),
    type.padEnd(24),
    envelope === undefined ? NO_EVENT : subjectText(envelope),
    envelope?.version !== undefined && `v${envelope.version}`,
    envelope?.actor !== undefined && `actor ${envelope.actor}`,
    envelope?.correlationid !== undefined && `correlation ${envelope.correlationid}`,
    letter && `dead letter #${letter.number} of ${letter.consumer}: ${letter.error ?? NO_ERROR}`,
    withData && dataText(payload),
  ]);
}

/** Returns a CloudEvent; a dead letter has the extensions `deadconsumer`, `deaderror` and `deadletter`. */
export function eventJson(event: SeenEvent, withData: boolean): Record<string, unknown> {
  const { envelope, letter, payload, sequence, storedAt, stream, type } = event;
  const id = `${stream}:${sequence}`;
  const unreadable = { specversion: "1.0", id, source: stream, type, time: storedAt.toISOString(), unreadable: true };
  return {
    ...(envelope ?? unreadable),
    ...(letter && { deadletter: letter.number, deadconsumer: letter.consumer, deaderror: letter.error }),
    ...(withData && { data: dataOf(payload) }),
  };
}

/** Returns one line for people, and a second one with the data when `withData` is set. */
export function letterLines(letter: StoredLetter, now: Date, withData: boolean): string[] {
  const { attempts, consumer, diedAt, envelope, error, number, payload, replays, subject } = letter;
  const line = joined([
    `#${number}`,
    `${diedAt.toISOString()} (${briefAge(now.getTime() - diedAt.getTime())} ago)`,
    consumer,
    subject,
    envelope === undefined ? NO_EVENT : `${subjectText(envelope)}  event ${envelope.id}`,
    attempts !== undefined && `${attempts} attempt${attempts === 1 ? "" : "s"}`,
    replays > 0 && `replayed before: ${replays}`,
    error ?? NO_ERROR,
  ]);
  return withData ? [line, `    ${printable(dataText(payload))}`] : [line];
}

export function letterJson(letter: StoredLetter, now: Date, withData: boolean): Record<string, unknown> {
  const { attempts, consumer, diedAt, envelope, error, number, payload, replays, sequence, stream, subject } = letter;
  return {
    letter: number,
    consumer,
    type: subject,
    event_id: envelope?.id ?? null,
    user_id: envelope?.subject ?? null,
    version: envelope?.version ?? null,
    actor: envelope?.actor ?? null,
    correlation_id: envelope?.correlationid ?? null,
    stream: stream ?? null,
    sequence: sequence ?? null,
    error: error ?? null,
    attempts: attempts ?? null,
    replays,
    event_at: envelope?.time ?? null,
    died_at: diedAt.toISOString(),
    age_seconds: Math.max(0, Math.floor((now.getTime() - diedAt.getTime()) / 1_000)),
    ...(withData && { data: dataOf(payload) }),
  };
}

interface LetterGroup {
  readonly consumer: string;
  readonly error: string;
  readonly count: number;
  readonly oldest: Date;
  readonly newest: Date;
}

/** Returns the letters by consumer and error, the largest group first. */
export function groupLetters(letters: readonly StoredLetter[]): LetterGroup[] {
  const groups = Map.groupBy(letters, ({ consumer, error }) => `${consumer}\n${error ?? ""}`);
  return [...groups.values()]
    .map((group) => {
      const [oldest, newest] = [group[0] as StoredLetter, group.at(-1) as StoredLetter];
      const { consumer, error = NO_ERROR } = oldest;
      return { consumer, error, count: group.length, oldest: oldest.diedAt, newest: newest.diedAt };
    })
    .toSorted((a, b) => b.count - a.count);
}

/** Returns an event's `data`, or the whole text of another message. */
function dataOf(payload: Uint8Array): unknown {
  const text = new TextDecoder().decode(payload);
  try {
    return (JSON.parse(text) as { data?: unknown } | null)?.data ?? text;
  } catch {
    return text;
  }
}

function dataText(payload: Uint8Array): string {
  const data = dataOf(payload);
  return typeof data === "string" ? data : JSON.stringify(data);
}

/** Events of keys and watermarks have no user. */
function subjectText({ subject, type }: EventEnvelope): string {
  return /^auth\.(?:key|watermark)/.test(type) ? subject : `user ${subject}`;
}
