import { expect, test } from "vitest";
import { createLogger } from "@gatehouse/observability";
import { createComplaints } from "../../src/telemetry/export-faults.ts";

test("what happens when no export succeeds: one line for each kind of complaint, and one more each five minutes", () => {
  const lines: string[] = [];
  let now = 0;
  const logger = createLogger({ service: "test", level: "info", destination: { write: (line) => lines.push(line) } });
  const { exportFailed, diagLogger } = createComplaints(logger, () => now);
  for (now = 0; now < 600_000; now += 10_000) {
    exportFailed(Object.assign(new Error("connect"), { code: "ECONNREFUSED" }));
    diagLogger.warn(`Dropped ${now} spans because maxQueueSize reached`);
    diagLogger.debug("nobody wants to know");
  }
  const said = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  const away = "telemetry cannot be exported, trying on";
  const dropped = (count: number) => `telemetry: Dropped ${count} spans because maxQueueSize reached`;
  expect(said).toEqual([away, dropped(0), away, dropped(300_000)]);
});
