import { STREAMS } from "@gatehouse/contracts";
import { COLLECTORS, DURABLES, failsAlways, THROWER } from "../consumers.ts";
import type { Evidence, OutboxRow } from "./evidence.ts";

// Compare what was written with what was published, consumed and dead-lettered.

const writtenEvents = ({ auth, user }: Evidence): OutboxRow[] => [...auth.outbox, ...user.outbox];

export function checkLost(evidence: Evidence): string[] {
  const stored = new Set(evidence.messages.map(({ messageId }) => messageId));
  return writtenEvents(evidence).flatMap(({ id, published, event }) => {
    if (published && stored.has(id)) return [];
    return [`${event.type} ${id} ${published ? "is not in its stream" : "was not published"}`];
  });
}

export function checkInvented(evidence: Evidence): string[] {
  const written = new Map(writtenEvents(evidence).map(({ id, event }) => [id, event]));
  return evidence.messages.flatMap(({ stream, sequence, event, messageId }) => {
    if (evidence.malformed.has(messageId)) return [];
    const source = event && written.get(event.id);
    const hasOwnId = messageId === event?.id || evidence.repeated.has(messageId);
    return hasOwnId && source?.type === event?.type && source?.version === event?.version
      ? []
      : [`message ${sequence} of ${stream} (${messageId}) is no event that was written`];
  });
}

export function checkRepeated({ messages, repeated }: Evidence): string[] {
  const published = messages.filter(({ messageId }) => !repeated.has(messageId));
  return [...Map.groupBy(published, ({ messageId }) => messageId)].flatMap(([id, { length }]) =>
    length > 1 ? [`${id} is in its stream ${length} times`] : [],
  );
}

/** Each consumer applied each event once, except those on which it always fails. */
export function checkApplied({ applied, auth, user }: Evidence): string[] {
  const times = Map.groupBy(applied, ({ consumer, event_id }) => `${consumer} ${event_id}`);
  const check = (consumer: string, rows: readonly OutboxRow[]) =>
    rows.flatMap(({ id, event }) => {
      const found = times.get(`${consumer} ${id}`)?.length ?? 0;
      const expected = consumer === THROWER && failsAlways(event) ? 0 : 1;
      return found === expected ? [] : [`${consumer} applied ${event.type} ${id} ${found} times`];
    });
  const renames = user.outbox.filter(({ event }) => event.type === "user.profile.updated");
  return [...check(COLLECTORS.auth, auth.outbox), ...check(COLLECTORS.user, user.outbox), ...check(THROWER, renames)];
}

/** Only malformed messages and events on which a handler always fails become dead letters. */
export function checkLetters({ messages, letters, malformed }: Evidence): string[] {
  const nameOf = (consumer: string, { stream, sequence }: { stream: string; sequence: number }) =>
    `${consumer}: message ${sequence} of ${stream}`;
  const expected = DURABLES.flatMap(({ durable, stream, covers }) =>
    messages
      .filter((message) => message.stream === stream && covers(message.subject))
      .filter(
        ({ event, messageId }) => malformed.has(messageId) || (durable === THROWER && event && failsAlways(event)),
      )
      .map((message) => nameOf(durable, message)),
  );
  const written = new Set(letters.map((letter) => nameOf(letter.consumer, letter)));
  const unexpected = letters.filter((letter) => !expected.includes(nameOf(letter.consumer, letter)));
  return [
    ...unexpected.map((letter) => `${nameOf(letter.consumer, letter)} became a dead letter: ${letter.error}`),
    ...expected.filter((name) => !written.has(name)).map((name) => `${name} became no dead letter`),
  ];
}

type Part = "auth" | "user";

/** Counts the events of both services on each step of their way. */
export function countFlows({ auth, user, messages, repeated, malformed, applied }: Evidence) {
  const versions = (rows: readonly { version: number }[]) => rows.reduce((total, { version }) => total + version, 0);
  const sessionChanges = auth.sessions.length + auth.sessions.filter(({ ended }) => ended).length;
  const stored = (part: Part) => messages.filter(({ stream }) => stream === STREAMS[part].name);
  const by = (part: Part, ids: ReadonlySet<string>) => stored(part).filter(({ messageId }) => ids.has(messageId));
  const published = (part: Part) => new Set(stored(part).flatMap(({ event }) => event?.id ?? [])).size;
  const relayed = (part: Part) =>
    stored(part).flatMap(({ messageId: id }) => (repeated.has(id) || malformed.has(id) ? [] : [id]));
  const count = (what: string, of: (part: Part) => number) => ({ what, auth: of("auth"), user: of("user") });
  return [
    {
      what: "changes in the tables",
      auth: versions([...auth.accounts, ...auth.tombstones]) + sessionChanges,
      user: versions(user.users),
    },
    { what: "events written", auth: auth.outbox.length, user: user.outbox.length },
    count("events published", published),
    count("messages stored", (part) => stored(part).length),
    count("  repeated by the relay", (part) => relayed(part).length - new Set(relayed(part)).size),
    count("  repeated by the harness", (part) => by(part, repeated).length),
    count("  malformed, by the harness", (part) => by(part, malformed).length),
    count("events applied", (part) => applied.filter(({ consumer }) => consumer === COLLECTORS[part]).length),
  ];
}
