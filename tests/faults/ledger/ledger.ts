import { COLLECTORS } from "../consumers/consumers.ts";
import type { AnswerCounts } from "../load/tally.ts";
import { checkAnswers } from "./check-answers.ts";
import {
  checkApplied,
  checkInvented,
  checkLetters,
  checkLost,
  checkRepeated,
  publishedOnce,
} from "./check-delivery.ts";
import { checkAccounts, checkProfiles, checkSessions, checkTokens } from "./check-history.ts";
import { checkNamesProjection, checkUsersProjection } from "./check-projections.ts";
import { type Evidence, groupBy, type Message } from "./evidence.ts";

/** What the run did and saw, beside the evidence. */
export interface Account {
  readonly seed: string;
  readonly seconds: number;
  readonly answers: AnswerCounts;
  readonly faults: readonly { readonly name: string; readonly recoveredMs: number }[];
  /** Faults of the catalogue for which there was no time. */
  readonly untried: readonly string[];
  /** Milliseconds from the end of the load until every queue was empty. */
  readonly drainedMs: number;
  readonly probed: number;
  readonly looked: number;
  readonly rootId: string;
  readonly complaints: readonly string[];
  readonly forbidden: readonly string[];
  readonly stuck: readonly string[];
}

/** One line of counts, for each of the two services. */
interface Flow {
  readonly what: string;
  readonly auth: number;
  readonly user: number;
}

export interface Check {
  readonly name: string;
  readonly wrong: readonly string[];
}

export interface Ledger extends Omit<Account, "complaints" | "forbidden" | "stuck"> {
  readonly flows: readonly Flow[];
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly checks: readonly Check[];
  readonly passed: boolean;
}

export function drawUp(evidence: Evidence, account: Account): Ledger {
  const { complaints, forbidden, stuck, ...rest } = account;
  const checks: Check[] = [
    { name: "lost: every event written is in its stream", wrong: checkLost(evidence) },
    { name: "invented: every event in a stream was written", wrong: checkInvented(evidence) },
    { name: "repeated: no event is in its stream twice", wrong: checkRepeated(evidence) },
    { name: "applied: each event once by each consumer", wrong: checkApplied(evidence) },
    { name: "dead letters: those that have to be, no healthy one", wrong: checkLetters(evidence) },
    { name: "answers: acknowledged is there, refused is not", wrong: checkAnswers(evidence, account.rootId) },
    { name: "accounts are what their events say", wrong: checkAccounts(evidence) },
    { name: "profiles are what their events say", wrong: checkProfiles(evidence) },
    { name: "sessions ended as they must", wrong: checkSessions(evidence) },
    { name: "no refresh token rotated twice", wrong: checkTokens(evidence) },
    { name: "users equal accounts, row by row", wrong: checkUsersProjection(evidence) },
    { name: "accounts show their users' names, row by row", wrong: checkNamesProjection(evidence) },
    { name: "clients saw nothing that must not be", wrong: complaints },
    { name: "no answer was a 500", wrong: forbidden },
    { name: "everything recovered by itself, in time", wrong: stuck },
  ];
  const letters = groupBy(evidence.letters, ({ consumer }) => consumer);
  return {
    ...rest,
    flows: flowsOf(evidence),
    deadLetters: Object.fromEntries([...letters].map(([consumer, { length }]) => [consumer, length])),
    checks,
    passed: checks.every(({ wrong }) => wrong.length === 0),
  };
}

function relayedAgain(messages: readonly Message[], { repeated, malformed }: Evidence): number {
  const relayed = messages.filter(({ messageId }) => !repeated.has(messageId) && !malformed.has(messageId));
  return relayed.length - new Set(relayed.map(({ messageId }) => messageId)).size;
}

function flowsOf(evidence: Evidence): Flow[] {
  const { auth, user, messages, repeated, malformed, applied } = evidence;
  const sum = (rows: readonly { version: number }[]) => rows.reduce((total, { version }) => total + version, 0);
  const inStream = (part: string) => messages.filter(({ subject }) => subject.startsWith(`${part}.`));
  const appliedBy = (name: string) => applied.filter(({ consumer }) => consumer === name).length;
  const sessionChanges = auth.sessions.length + auth.sessions.filter(({ ended }) => ended).length;
  const split = (what: string, count: (part: "auth" | "user") => number): Flow => ({
    what,
    auth: count("auth"),
    user: count("user"),
  });
  return [
    {
      what: "changes in the tables",
      auth: sum([...auth.accounts, ...auth.tombstones]) + sessionChanges,
      user: sum(user.users),
    },
    { what: "events written", auth: auth.outbox.length, user: user.outbox.length },
    split("events published", (part) => publishedOnce(evidence, part)),
    split("messages stored", (part) => inStream(part).length),
    split("  again, by the relay", (part) => relayedAgain(inStream(part), evidence)),
    split(
      "  again, by the harness",
      (part) => inStream(part).filter(({ messageId }) => repeated.has(messageId)).length,
    ),
    split(
      "  no events, by the harness",
      (part) => inStream(part).filter(({ messageId }) => malformed.has(messageId)).length,
    ),
    split("events applied", (part) => appliedBy(COLLECTORS[part])),
  ];
}
