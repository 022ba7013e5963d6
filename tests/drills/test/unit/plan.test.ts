import { expect, it } from "vitest";
import type { Load } from "../../load/load.ts";
import { createTally } from "../../load/tally.ts";
import { type Drill, perform } from "../../plans/plan.ts";
import { drawUp, printReport } from "../../report.ts";

const ROUTE = { route: "GET /v1/auth/me", expected: 200 };

function createDrill() {
  const tally = createTally();
  const load: Load = { tally, keys: new Map(), rate: () => 100, stop: async () => undefined };
  const drill: Drill = {
    system: {} as never,
    load,
    note: () => undefined,
    signal: new AbortController().signal,
    settleMs: 0,
  };
  return { tally, load, drill };
}

it("what happens when requests fail during one step: they are its own, and the run has failed", async () => {
  const { tally, load, drill } = createDrill();
  const steps = [
    { title: "harmless", run: async () => tally.count({ ...ROUTE, status: 200 }) },
    { title: "harmful", run: async () => tally.count({ ...ROUTE, status: 401, reason: "TokenError" }) },
  ];
  const results = await perform([{ name: "chapter", steps }], drill);
  expect(results).toMatchObject([
    { chapter: "chapter", step: "harmless", answered: 1, failed: 0 },
    { chapter: "chapter", step: "harmful", answered: 1, failed: 1 },
  ]);
  const report = drawUp("seed", load, results);
  expect(report.passed).toBe(false);
  expect(printReport(report)).toContain("FAILED: 2 requests, 1 failed");
});

it("what happens when no request fails: the run has passed", async () => {
  const { tally, load, drill } = createDrill();
  const steps = [{ title: "harmless", run: async () => tally.count({ ...ROUTE, status: 200 }) }];
  const report = drawUp("seed", load, await perform([{ name: "chapter", steps }], drill));
  expect(report.passed).toBe(true);
  expect(printReport(report)).toContain("passed: 1 requests, 0 failed");
});

it("what happens when a run is ended from outside: no further step begins", async () => {
  const { drill } = createDrill();
  const stopping = new AbortController();
  const steps = [
    { title: "ends it", run: async () => stopping.abort(new Error("enough")) },
    { title: "never", run: async () => expect.unreachable() },
  ];
  await expect(perform([{ name: "chapter", steps }], { ...drill, signal: stopping.signal })).rejects.toThrow();
});
