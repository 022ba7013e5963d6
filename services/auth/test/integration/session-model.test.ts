import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { run } from "../model/run.ts";
import { steps } from "../model/steps.ts";
import { startSystem, type System } from "../model/system.ts";

/**
 * Compares random interleavings of commands with the model in ../model/session-model.ts: a few here, thousands in
 * `pnpm test:model`. MODEL_SEED, MODEL_GRACE and MODEL_PATH repeat a failure. MODEL_RUNS and MODEL_SECONDS limit the search
 * for each grace.
 */
const { MODEL_SEED, MODEL_PATH, MODEL_GRACE, MODEL_RUNS = "8", MODEL_SECONDS = "20", MODEL_PROGRESS } = process.env;
const seed = MODEL_SEED === undefined ? Math.ceil(Math.random() * 0x7fff_ffff) : Number(MODEL_SEED);
const graces = MODEL_GRACE === undefined ? [0, 10] : [Number(MODEL_GRACE)];
const limitMs = Number(MODEL_SECONDS) * 1_000;

describe.each(graces)("sessions with a reuse grace of %i seconds", (grace) => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem(grace);
  });
  afterAll(() => system.stop());

  it("match the model under random simultaneous commands", { timeout: limitMs + 60_000 }, async () => {
    const known = `MODEL_SEED=${seed} MODEL_GRACE=${grace}`;
    const start = performance.now();
    let [runs, commands] = [0, 0];
    const tell = (end: string) => {
      const share = `${Math.floor((performance.now() - start) / 1_000)} of ${MODEL_SECONDS} s`;
      process.stderr.write(`${known}: ${runs} runs, ${commands} commands, ${share}${end}`);
    };
    tell("\n");
    const property = fc.asyncProperty(steps, async (one) => {
      commands += await run(system, one);
      runs += 1;
      if (MODEL_PROGRESS !== undefined) tell("\r");
    });
    const result = await fc.check(property, {
      seed,
      ...(MODEL_PATH !== undefined && { path: MODEL_PATH }),
      numRuns: Number(MODEL_RUNS),
      plugins: [fc.interruptAfterTimeLimit(limitMs)],
    });
    tell("\n");
    if (!result.failed) return;
    const { errorInstance: cause, counterexamplePath } = result;
    if (result.counterexample === null)
      throw new Error(`No run finished within ${MODEL_SECONDS} s. Set a higher MODEL_SECONDS.`);
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${what}\nRepeat it with ${known} MODEL_PATH=${counterexamplePath}`, { cause });
  });
});
