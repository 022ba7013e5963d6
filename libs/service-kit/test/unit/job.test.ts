import { createLogger } from "@gatehouse/observability";
import { describe, expect, it } from "vitest";
import { startJob } from "../../src/job.ts";

const logger = createLogger({ service: "test", level: "silent" });

describe("startJob", () => {
  it("runs at once and again, also after a failure, and one run at a time", async () => {
    let running = 0;
    let runs = 0;
    const enough = Promise.withResolvers<void>();
    const run = async () => {
      running += 1;
      expect(running).toBe(1);
      await new Promise(setImmediate);
      running -= 1;
      runs += 1;
      if (runs === 3) enough.resolve();
      if (runs === 1) throw new Error("the first one fails");
    };
    const job = startJob({ name: "test", everySeconds: 0.001, first: "now", run, logger });
    await enough.promise;
    await job.close();
    const runsAtClose = runs;
    await new Promise(setImmediate);
    expect(runs).toBe(runsAtClose);
    expect(running).toBe(0);
  });

  it("close waits for the current run", async () => {
    const blocked = Promise.withResolvers<void>();
    let isFinished = false;
    const run = async () => {
      await blocked.promise;
      isFinished = true;
    };
    const closing = startJob({ name: "test", everySeconds: 60, first: "now", run, logger }).close();
    blocked.resolve();
    await closing;
    expect(isFinished).toBe(true);
  });

  it("starts its first run after the interval by default", async () => {
    let runs = 0;
    const job = startJob({ name: "test", everySeconds: 60, run: async () => void (runs += 1), logger });
    await job.close();
    expect(runs).toBe(0);
  });
});
