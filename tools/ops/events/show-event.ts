import type { EventEnvelope } from "@gatehouse/contracts";
import type { StoredLetter } from "@gatehouse/messaging";
import { printable } from "../terminal/text.ts";

/** An event as a stream holds it, read for people. */
export interface SeenEvent {
  readonly stream: string;
  readonly sequence: number;
  readonly storedAt: Date;
  /** The subject on which it was published; that of the event inside, for a dead letter. */
  readonly type: string;
  /** Undefined when the message is no event. */
  readonly envelope: EventEnvelope | undefined;
  readonly payload: Uint8Array;
  /** When it is a dead letter: how it died. */
  readonly letter: StoredLetter | undefined;
}

/** One line for people: when, what, about whom, and who caused it. Data, which may be personal, only `withData`. */
export function eventLine(event: SeenEvent, withData: boolean): string {
  const { envelope, letter, payload, storedAt, type } = event;
  const parts = [
    envelope?.time ?? storedAt.toISOString(),
    type.padEnd(24),
    envelope === undefined ? "no event of ours" : subjectText(envelope),
    envelope?.version !== undefined && `v${envelope.version}`,
    envelope?.actor !== undefined && `actor ${envelope.actor}`,
    envelope?.correlationid !== undefined && `correlation ${envelope.correlationid}`,
    letter !== undefined && `dead letter #${letter.number} of ${letter.consumer}: ${letter.error ?? "no error named"}`,
    withData && dataText(payload),
  ];
  return printable(parts.filter((part) => part !== false).join("  "));
}

/** As a CloudEvent, with `deadconsumer`, `deaderror` and `deadletter` as extensions of one that died. Data only `withData`. */
export function eventJson(event: SeenEvent, withData: boolean): Record<string, unknown> {
  const { envelope, letter, payload, sequence, storedAt, stream, type } = event;
  const attributes = envelope ?? {
    specversion: "1.0",
    id: `${stream}:${sequence}`,
    source: stream,
    type,
    time: storedAt.toISOString(),
    unreadable: true,
  };
  return {
    ...attributes,
    ...(letter && { deadletter: letter.number, deadconsumer: letter.consumer, deaderror: letter.error }),
    ...(withData && { data: dataOf(payload) }),
  };
}

/** The `data` of an event, or the whole text of what is none. */
export function dataOf(payload: Uint8Array): unknown {
  const text = new TextDecoder().decode(payload);
  try {
    return (JSON.parse(text) as { data?: unknown } | null)?.data ?? text;
  } catch {
    return text;
  }
}

export function dataText(payload: Uint8Array): string {
  const data = dataOf(payload);
  return typeof data === "string" ? data : JSON.stringify(data);
}

/** The events of keys and watermarks are about no user. */
export function subjectText({ subject, type }: EventEnvelope): string {
  return /^auth\.(?:key|watermark)/.test(type) ? subject : `user ${subject}`;
}
