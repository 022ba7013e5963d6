import { findLetters, type LetterFilter, type ReplayCandidate, type Replayer } from "@gatehouse/messaging";
import type { FoundBus } from "../find-bus.ts";

interface RefusedLetter {
  readonly letter: number;
  readonly consumer: string;
  readonly reason: string;
}

export interface ChosenLetters {
  /** Numbers of the letters to replay, the oldest first. */
  readonly numbers: readonly number[];
  /** How many of them, by consumer. */
  readonly byConsumer: ReadonlyMap<string, number>;
  readonly refused: readonly RefusedLetter[];
}

/**
 * The letters that the filter means now, and which of them must stay. What dies later is not among them, so that a letter that fails again
 * while others are replayed is not replayed for ever.
 */
export async function chooseLetters(
  connection: FoundBus["connection"],
  replayer: Replayer,
  filter: LetterFilter,
): Promise<ChosenLetters> {
  // Without their payloads, since there may be many.
  const found: ReplayCandidate[] = [];
  await findLetters(connection, filter, ({ number, consumer, diedAt, envelope, stream, subject }) =>
    found.push({ number, consumer, diedAt, envelope, stream, subject }),
  );
  const numbers: number[] = [];
  const byConsumer = new Map<string, number>();
  const refused: RefusedLetter[] = [];
  for (const letter of found) {
    const reason = await replayer.objection(letter);
    if (reason !== undefined) {
      refused.push({ letter: letter.number, consumer: letter.consumer, reason });
      continue;
    }
    numbers.push(letter.number);
    byConsumer.set(letter.consumer, (byConsumer.get(letter.consumer) ?? 0) + 1);
  }
  return { numbers, byConsumer, refused };
}
