import { EventFormatError } from "@gatehouse/contracts";
import { isAppError } from "@gatehouse/errors";
import { headers, type MsgHdrs } from "@nats-io/nats-core";
import type { Delivered } from "../jetstream/delivered.ts";
import { isServersOwn, LETTER_HEADERS, MESSAGE_ID } from "./letter-headers.ts";

export interface DeadLetter {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: MsgHdrs;
  readonly msgID: string;
}

/** Returns the message for DEAD_LETTERS: payload and headers as received, and the reason in headers. */
export function deadLetter(durable: string, message: Delivered, attempts: number, error: unknown): DeadLetter {
  const letter = headers();
  for (const [name, values] of message.headers ?? []) {
    if (!isServersOwn(name)) for (const value of values) letter.append(name, value);
  }
  const own = LETTER_HEADERS;
  letter.set(own.consumer, durable);
  letter.set(own.subject, message.subject);
  letter.set(own.stream, message.stream);
  letter.set(own.sequence, String(message.sequence));
  letter.set(own.storedAt, message.storedAt.toISOString());
  letter.set(own.attempts, String(attempts));
  letter.set(own.error, describeError(error));
  const messageId = message.headers?.get(MESSAGE_ID);
  if (messageId) letter.set(own.messageId, messageId);
  return {
    subject: `dead.${durable}.${message.subject}`,
    payload: message.data,
    headers: letter,
    // The time distinguishes messages of a recreated stream, which reuses sequences.
    msgID: `${durable}:${message.stream}:${message.sequence}:${message.storedNanos}`,
  };
}

const MAX_ERROR_LENGTH = 500;

/**
 * Returns an error as one line without values, which may be personal: the message of errors that contain none, else the class with
 * the code (SQLSTATE, ECONNREFUSED) and the constraint.
 */
export function describeError(error: unknown): string {
  return oneLine(text(error)).slice(0, MAX_ERROR_LENGTH);
}

function text(error: unknown): string {
  if (isAppError(error)) return `${error.code}: ${error.detail}`;
  if (error instanceof EventFormatError) return `${error.name}: ${error.message}`;
  if (!(error instanceof Error)) return "an error of unknown class";
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  const known = [code, constraint].filter((value) => typeof value === "string" || typeof value === "number");
  return known.length === 0 ? error.name : `${error.name} (${known.join(", ")})`;
}

function oneLine(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]+/g, " ");
}
