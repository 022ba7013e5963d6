import type { StoredLetter } from "@gatehouse/messaging";
import { briefAge, printable } from "../terminal/text.ts";
import { dataOf, dataText, subjectText } from "./show-event.ts";

/** One line for people, and a second one with the data, which may be personal, only `withData`. */
export function letterLines(letter: StoredLetter, now: Date, withData: boolean): string[] {
  const { attempts, consumer, diedAt, envelope, error, number, payload, replays, subject } = letter;
  const parts = [
    `#${number}`,
    `${diedAt.toISOString()} (${briefAge(now.getTime() - diedAt.getTime())} ago)`,
    consumer,
    subject,
    envelope === undefined ? "no event of ours" : `${subjectText(envelope)}  event ${envelope.id}`,
    attempts !== undefined && `${attempts} attempt${attempts === 1 ? "" : "s"}`,
    replays > 0 && `replayed before: ${replays}`,
    error ?? "no error named",
  ];
  const line = printable(parts.filter((part) => part !== false).join("  "));
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

/** What several letters have in common. */
export interface LetterGroup {
  readonly consumer: string;
  readonly error: string;
  readonly count: number;
  readonly oldest: Date;
  readonly newest: Date;
}

/** By consumer and error, the largest group first. */
export function groupLetters(letters: readonly StoredLetter[]): LetterGroup[] {
  const groups = Map.groupBy(letters, ({ consumer, error }) => `${consumer}\n${error ?? ""}`);
  return [...groups.values()]
    .flatMap((group) => {
      const [oldest] = group;
      const newest = group.at(-1);
      if (oldest === undefined || newest === undefined) return [];
      const { consumer, error = "no error named" } = oldest;
      return [{ consumer, error, count: group.length, oldest: oldest.diedAt, newest: newest.diedAt }];
    })
    .toSorted((a, b) => b.count - a.count);
}
