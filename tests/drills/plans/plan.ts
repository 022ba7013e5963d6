import { setTimeout as delay } from "node:timers/promises";
import type { Load } from "../load/load.ts";
import type { System } from "../system/system.ts";

/** What a step has to work with. */
export interface Drill {
  readonly system: System;
  readonly load: Load;
  /** Tells what is going on. */
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds that the load goes on after a step, so that what the step broke shows in its own count. */
  readonly settleMs: number;
}

/** One thing that an operator does. */
export interface Step {
  /** As it stands in docs/operations/rotation.md, which a test compares. */
  readonly title: string;
  /** @throws Error when it did not do what it should, whatever became of the requests */
  run(drill: Drill): Promise<void>;
}

/** One procedure: its steps in their order. */
export interface Chapter {
  /** As `--only` names it. */
  readonly name: string;
  readonly steps: readonly Step[];
}

export interface StepResult {
  readonly chapter: string;
  readonly step: string;
  readonly seconds: number;
  /** Requests answered meanwhile, and how many of them not as they should be. */
  readonly answered: number;
  readonly failed: number;
}

/** Performs all steps of all chapters, one after the other, and counts the requests of each. */
export async function perform(chapters: readonly Chapter[], drill: Drill): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const { name, steps } of chapters)
    for (const step of steps) {
      drill.signal.throwIfAborted();
      drill.note(`${name}: ${step.title}`);
      const [begun, before] = [performance.now(), drill.load.tally.total()];
      await step.run(drill);
      await pause(drill.settleMs, drill.signal);
      const after = drill.load.tally.total();
      results.push({
        chapter: name,
        step: step.title,
        seconds: Math.round((performance.now() - begun) / 100) / 10,
        answered: after.answered - before.answered,
        failed: after.failed - before.failed,
      });
    }
  return results;
}

/** Asks again until the answer is yes. */
export async function until(
  { signal }: Pick<Drill, "signal">,
  what: string,
  withinSeconds: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + withinSeconds * 1_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinSeconds} s`);
    await pause(250, signal);
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal });
}
