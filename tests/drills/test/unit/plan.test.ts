import { createTally } from "@gatehouse/test-kit/run";
import { expect, it } from "vitest";
import type { Load } from "../../load.ts";
import { createReport, type Drill, perform } from "../../plan.ts";

const ROUTE = { route: "GET /v1/auth/me", expected: 200 };

function createDrill() {
  const tally = createTally();
  const load: Load = { tally, keys: new Map(), rate: () => 100, stop: async () => undefined };
  const drill: Drill = {
    system: {} as never,
    load,
    signal: new AbortController().signal,
    settleMs: 0,
  };
  return { tally, load, drill };
}

it("counts failed requests for the step in which they fail, and fails the drill", async () => {
  const { tally, load, drill } = createDrill();
  const steps = [
    { title: "harmless", run: async () => tally.count({ ...ROUTE, status: 200 }) },
    { title: "harmful", run: async () => tally.count({ ...ROUTE, status: 401, reason: "TokenError" }) },
  ];
  const results = await perform([{ name: "procedure", steps }], drill);
  expect(results).toMatchObject([
    { procedure: "procedure", step: "harmless", answered: 1, failed: 0 },
    { procedure: "procedure", step: "harmful", answered: 1, failed: 1 },
  ]);
  const report = createReport(load, results);
  expect(report.passed).toBe(false);
  expect(report.lines.join("\n")).toContain("FAILED: 2 requests, 1 failed");
});

it("passes when no request fails", async () => {
  const { tally, load, drill } = createDrill();
  const steps = [{ title: "harmless", run: async () => tally.count({ ...ROUTE, status: 200 }) }];
  const report = createReport(load, await perform([{ name: "procedure", steps }], drill));
  expect(report.passed).toBe(true);
  expect(report.lines.join("\n")).toContain("passed: 1 requests, 0 failed");
});

it("starts no further step after a signal", async () => {
  const { drill } = createDrill();
  const stopping = new AbortController();
  const steps = [
    { title: "ends it", run: async () => stopping.abort(new Error("enough")) },
    { title: "never", run: async () => expect.unreachable() },
  ];
  await expect(perform([{ name: "procedure", steps }], { ...drill, signal: stopping.signal })).rejects.toThrow();
});
