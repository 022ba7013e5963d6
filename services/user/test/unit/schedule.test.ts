import { createLogger } from "@gatehouse/observability";
import { describe, expect, it } from "vitest";
import { schedule } from "../../src/jobs/schedule.ts";

const logger = createLogger({ service: "test", level: "silent" });

describe("schedule", () => {
  it("runs the job at once and repeatedly, also after a failure, never twice at a time", async () => {
    let running = 0;
    let runs = 0;
    const enough = Promise.withResolvers<void>();
    const job = async () => {
      running += 1;
      expect(running).toBe(1);
      await new Promise(setImmediate);
      running -= 1;
      runs += 1;
      if (runs === 3) enough.resolve();
      if (runs === 1) throw new Error("the first one fails");
      return {};
    };
    const cleaning = schedule("test", job, { everyMilliseconds: 1, logger });
    await enough.promise;
    await cleaning.close();
    const runsAtClose = runs;
    await new Promise(setImmediate);
    expect(runs).toBe(runsAtClose);
    expect(running).toBe(0);
  });

  it("close waits for the current run", async () => {
    const blocked = Promise.withResolvers<void>();
    let finished = false;
    const job = async () => {
      await blocked.promise;
      finished = true;
      return {};
    };
    const closing = schedule("test", job, { everyMilliseconds: 60_000, logger }).close();
    blocked.resolve();
    await closing;
    expect(finished).toBe(true);
  });
});
