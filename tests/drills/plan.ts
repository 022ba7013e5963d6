import { listOf, note, type Report } from "@gatehouse/test-kit/run";
import { setTimeout as delay } from "node:timers/promises";
import type { Load } from "./load.ts";
import type { DrillSystem } from "./system.ts";

export interface Drill {
  readonly system: DrillSystem;
  readonly load: Load;
  readonly signal: AbortSignal;
  /** How long the load goes on after a step, so that the step's own count shows what it broke. */
  readonly settleMs: number;
}

/** One thing that an operator does. */
export interface Step {
  /** As in docs/operations/rotation.md; a test compares them. */
  readonly title: string;
  /** @throws Error when it did not have its effect */
  run(drill: Drill): Promise<unknown>;
}

export interface Procedure {
  /** The name for `--only`. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** Runs all steps in order and counts the requests of each. */
export async function perform(procedures: readonly Procedure[], drill: Drill) {
  const { load, signal, settleMs } = drill;
  const results = [];
  for (const { name: procedure, steps } of procedures)
    for (const step of steps) {
      signal.throwIfAborted();
      note(`${procedure}: ${step.title}`);
      const [begun, before] = [performance.now(), load.tally.total()];
      await step.run(drill);
      await delay(settleMs, undefined, { signal });
      const after = load.tally.total();
      results.push({
        ...{ procedure, step: step.title, seconds: Math.round((performance.now() - begun) / 100) / 10 },
        ...{ answered: after.answered - before.answered, failed: after.failed - before.failed },
      });
    }
  return results;
}

/** A drill passes when every request had its expected status. */
export function createReport({ tally, rate }: Load, steps: Awaited<ReturnType<typeof perform>>): Report {
  const { answered, failed } = tally.total();
  const [perSecond, routes] = [Math.round(rate()), tally.byRoute()];
  return {
    passed: failed === 0,
    figures: { requests: { answered, failed, perSecond }, routes, steps, failures: tally.failures },
    lines: [
      ...steps.map(({ procedure, step, ...counts }) => `${procedure}: ${step}: ${listOf(counts)}`),
      ...Object.entries(routes).map(([route, statuses]) => `${route}: ${listOf(statuses)}`),
      ...tally.failures,
      `${failed === 0 ? "passed" : "FAILED"}: ${answered} requests, ${failed} failed, ${perSecond}/s`,
    ],
  };
}
