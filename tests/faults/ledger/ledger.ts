import { listOf } from "@gatehouse/test-kit/run";
import { checkAnswers } from "./answers.ts";
import { checkApplied, checkInvented, checkLetters, checkLost, checkRepeated, countFlows } from "./delivery.ts";
import type { Evidence } from "./evidence.ts";
import {
  checkAccounts,
  checkNamesProjection,
  checkProfiles,
  checkSessions,
  checkTokens,
  checkUsersProjection,
} from "./history.ts";

/** What happened in a run, besides the evidence. */
export interface RunRecord {
  readonly seed: string;
  readonly seconds: number;
  /** Answers by status. */
  readonly answers: Readonly<Record<string, number>>;
  readonly faults: readonly { readonly name: string; readonly recoveredMs: number }[];
  /** Faults for which there was no time. */
  readonly untried: readonly string[];
  /** Milliseconds from the end of the load until every queue was empty. */
  readonly drainedMs: number;
  readonly probed: number;
  /** Checks of the final state. */
  readonly checked: number;
  readonly rootId: string;
  readonly complaints: readonly string[];
  readonly forbidden: readonly string[];
  readonly stuck: readonly string[];
}

type Ledger = ReturnType<typeof createLedger>;

export function createLedger(evidence: Evidence, { complaints, forbidden, stuck, ...run }: RunRecord) {
  const checks = Object.entries({
    "lost: every event written is in its stream": checkLost(evidence),
    "invented: every event in a stream was written": checkInvented(evidence),
    "repeated: no event is in its stream twice": checkRepeated(evidence),
    "applied: each event once by each consumer": checkApplied(evidence),
    "dead letters: the expected ones and no others": checkLetters(evidence),
    "answers: acknowledged changes are written, refused ones are not": checkAnswers(evidence, run.rootId),
    "accounts are what their events say": checkAccounts(evidence),
    "profiles are what their events say": checkProfiles(evidence),
    "sessions ended as they must": checkSessions(evidence),
    "no refresh token rotated twice": checkTokens(evidence),
    "users equal accounts, row by row": checkUsersProjection(evidence),
    "accounts show their users' names, row by row": checkNamesProjection(evidence),
    "clients saw no wrong answer": complaints,
    "no answer was a 500": forbidden,
    "everything recovered by itself, in time": stuck,
  }).map(([name, wrong]) => ({ name, wrong }));
  const letters = [...Map.groupBy(evidence.letters, ({ consumer }) => consumer)];
  return {
    ...run,
    flows: countFlows(evidence),
    deadLetters: Object.fromEntries(letters.map(([consumer, { length }]) => [consumer, length])),
    checks,
    passed: checks.every(({ wrong }) => wrong.length === 0),
  };
}

const SHOWN = 12;

/** The ledger as text. */
export function printLedger({ seed, seconds, answers, flows, deadLetters, faults, checks, ...run }: Ledger): string {
  const slowest = faults.toSorted((one, other) => other.recoveredMs - one.recoveredMs)[0];
  return [
    `${seconds} s of load, ${faults.length} faults (${run.untried.length === 0 ? "every kind" : `no time for ${run.untried.length} kinds`})`,
    ...flows.map(({ what, ...counts }) => `${what.padEnd(28)}${listOf(counts)}`),
    `answers by status: ${listOf(answers)}; dead letters: ${listOf(deadLetters)}`,
    `slowest recovery: ${slowest ? `${slowest.recoveredMs} ms (${slowest.name})` : "none"}`,
    `queues empty ${run.drainedMs} ms after the load; ${run.probed} probes with revoked tokens, ${run.checked} final checks`,
    ...checks.flatMap(({ name, wrong }) => [
      wrong.length === 0 ? `ok    ${name}` : `WRONG ${name}: ${wrong.length}; --json shows all`,
      ...wrong.slice(0, SHOWN).map((line) => `  ${line}`),
    ]),
    run.passed ? "nothing lost, nothing invented" : `failed; to repeat: FAULTS_SEED=${seed} pnpm test:faults`,
  ].join("\n");
}
