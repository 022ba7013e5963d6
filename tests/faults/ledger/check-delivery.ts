import { STREAMS } from "@gatehouse/contracts";
import { COLLECTORS, DURABLES, failsAlways, THROWER } from "../consumers/consumers.ts";
import { type Evidence, groupBy, type Message, type OutboxRow, writtenEvents } from "./evidence.ts";

/** Holds what was written against what was published, received and given up. */

export function checkLost(evidence: Evidence): string[] {
  const stored = new Set(evidence.messages.map(({ messageId }) => messageId));
  return writtenEvents(evidence)
    .filter(({ id, published }) => !published || !stored.has(id))
    .map(
      ({ id, published, event }) => `${event.type} ${id} ${published ? "is not in its stream" : "was not published"}`,
    );
}

export function checkInvented(evidence: Evidence): string[] {
  const written = new Map(writtenEvents(evidence).map(({ id, event }) => [id, event]));
  return evidence.messages
    .filter(({ messageId }) => !evidence.malformed.has(messageId))
    .flatMap(({ stream, sequence, event, messageId }) => {
      const source = event && written.get(event.id);
      const isOwn = messageId === event?.id || evidence.repeated.has(messageId);
      return isOwn && source && source.type === event.type && source.version === event.version
        ? []
        : [`message ${sequence} of ${stream} (${messageId}) is no event that was written`];
    });
}

export function checkRepeated(evidence: Evidence): string[] {
  const published = evidence.messages.filter(({ messageId }) => !evidence.repeated.has(messageId));
  return [...groupBy(published, ({ messageId }) => messageId)]
    .filter(([, messages]) => messages.length > 1)
    .map(([id, messages]) => `${id} is in its stream ${messages.length} times`);
}

/** Each consumer has applied each event once, and only those that it did not give up. */
export function checkApplied(evidence: Evidence): string[] {
  const applied = groupBy(evidence.applied, ({ consumer, event_id }) => `${consumer} ${event_id}`);
  const check = (consumer: string, rows: readonly OutboxRow[]) =>
    rows.flatMap(({ id, event }) => {
      const times = applied.get(`${consumer} ${id}`)?.length ?? 0;
      const expected = consumer === THROWER && failsAlways(event) ? 0 : 1;
      return times === expected ? [] : [`${consumer} applied ${event.type} ${id} ${times} times`];
    });
  return [
    ...check(COLLECTORS.auth, evidence.auth.outbox),
    ...check(COLLECTORS.user, evidence.user.outbox),
    ...check(
      THROWER,
      evidence.user.outbox.filter(({ event }) => event.type === "user.profile.updated"),
    ),
  ];
}

/** The messages that have to end as dead letters, by consumer: those that are no events, and those on which a handler always fails. */
function expectedLetters(evidence: Evidence): Set<string> {
  return new Set(
    DURABLES.flatMap(({ durable, stream, covers }) =>
      evidence.messages
        .filter((message) => message.stream === stream && covers(message.subject))
        .filter((message) => isDead(durable, message, evidence.malformed))
        .map((message) => letterName(durable, message)),
    ),
  );
}

export function checkLetters(evidence: Evidence): string[] {
  const expected = expectedLetters(evidence);
  const written = new Set(evidence.letters.map((letter) => letterName(letter.consumer, letter)));
  return [
    ...evidence.letters
      .filter((letter) => !expected.has(letterName(letter.consumer, letter)))
      .map(
        (letter) => `${letterName(letter.consumer, letter)} (${letter.subject}) became a dead letter: ${letter.error}`,
      ),
    ...[...expected].filter((name) => !written.has(name)).map((name) => `${name} became no dead letter`),
  ];
}

function isDead(durable: string, { event, messageId }: Message, malformed: ReadonlySet<string>): boolean {
  return malformed.has(messageId) || (durable === THROWER && event !== undefined && failsAlways(event));
}

function letterName(consumer: string, { stream, sequence }: { stream: string; sequence: number }): string {
  return `${consumer}: message ${sequence} of ${stream}`;
}

/** Counts for the ledger: events of one service in its stream, each once. */
export function publishedOnce(evidence: Evidence, part: "auth" | "user"): number {
  const ids = evidence.messages
    .filter(({ stream, messageId }) => stream === STREAMS[part].name && !evidence.malformed.has(messageId))
    .map(({ event }) => event?.id);
  return new Set(ids).size;
}
