import { ANSWER_CLASSES } from "../load/tally.ts";
import type { Check, Ledger } from "./ledger.ts";

const SHOWN_AT_MOST = 12;
const number = (value: number) => String(value).padStart(9);

/** The ledger for people. */
export function printLedger(ledger: Ledger): string {
  return [
    `seed ${ledger.seed}, ${ledger.seconds} s of load`,
    "",
    "requests answered",
    ...ANSWER_CLASSES.filter((kind) => ledger.answers[kind] > 0).map(
      (kind) => `  ${kind.padEnd(28)}${number(ledger.answers[kind])}`,
    ),
    "",
    `${"".padEnd(30)}${"auth".padStart(9)}${"user".padStart(9)}`,
    ...ledger.flows.map(({ what, auth, user }) => `${what.padEnd(30)}${number(auth)}${number(user)}`),
    "",
    "dead letters",
    ...Object.entries(ledger.deadLetters).map(([consumer, count]) => `  ${consumer.padEnd(28)}${number(count)}`),
    "",
    `faults: ${ledger.faults.length} (${ledger.untried.length === 0 ? "every kind" : `no time for ${ledger.untried.length} kinds`}), slowest recovery ${slowest(ledger)}, queues empty ${ledger.drainedMs} ms after the load`,
    `revoked tokens shown again: ${ledger.probed} while it ran; ${ledger.looked} looks at the end`,
    "",
    ...ledger.checks.map((check) => `${check.wrong.length === 0 ? "ok    " : "WRONG "}${check.name}`),
    ...ledger.checks.flatMap(explain),
    "",
    ledger.passed ? "nothing lost, nothing invented" : `failed; to repeat: FAULTS_SEED=${ledger.seed} pnpm test:faults`,
  ].join("\n");
}

function slowest({ faults }: Ledger): string {
  const [last] = faults.toSorted((one, other) => other.recoveredMs - one.recoveredMs);
  return last === undefined ? "none" : `${last.recoveredMs} ms (${last.name})`;
}

function explain({ name, wrong }: Check): string[] {
  if (wrong.length === 0) return [];
  const more = wrong.length > SHOWN_AT_MOST ? [`  … and ${wrong.length - SHOWN_AT_MOST} more; --json has all`] : [];
  return ["", `${name}: ${wrong.length}`, ...wrong.slice(0, SHOWN_AT_MOST).map((line) => `  ${line}`), ...more];
}
