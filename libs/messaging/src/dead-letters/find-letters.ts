import { STREAMS } from "@gatehouse/contracts";
import type { NatsConnection } from "@nats-io/nats-core";
import { readStored } from "../jetstream/read-stored.ts";
import { isStreamNotFound } from "../streams.ts";
import { readLetter, type StoredLetter } from "./stored-letter.ts";

/** Selects dead letters; all given conditions must hold. */
export interface LetterFilter {
  readonly consumer?: string | undefined;
  /** The subject of the event, wildcards allowed. */
  readonly type?: string | undefined;
  /** Letters written at this time or later. */
  readonly since?: Date | undefined;
  /** The subject of the event: a user's id. */
  readonly user?: string | undefined;
  /** A part of the error; case is ignored. */
  readonly error?: string | undefined;
  /** Numbers of letters, or ids of events. */
  readonly ids?: readonly string[] | undefined;
}

/**
 * Calls `onLetter` with each matching letter, oldest first; never when the stream does not exist.
 * @throws when the bus fails
 */
export async function findLetters(
  connection: NatsConnection,
  filter: LetterFilter,
  onLetter: (letter: StoredLetter) => void,
): Promise<void> {
  const subject = `${DEAD}.${filter.consumer ?? "*"}.${filter.type ?? ">"}`;
  try {
    await readStored(connection, STREAMS.deadLetters, { filter: subject, since: filter.since }, (message) => {
      const letter = readLetter(message);
      if (matches(filter, letter)) onLetter(letter);
    });
  } catch (error) {
    if (!isStreamNotFound(error)) throw error;
  }
}

const DEAD = "dead";

function matches({ user, error, ids }: LetterFilter, letter: StoredLetter): boolean {
  const { envelope } = letter;
  return (
    (user === undefined || envelope?.subject === user) &&
    (error === undefined || (letter.error ?? "").toLowerCase().includes(error.toLowerCase())) &&
    (ids === undefined || ids.includes(String(letter.number)) || (envelope !== undefined && ids.includes(envelope.id)))
  );
}
