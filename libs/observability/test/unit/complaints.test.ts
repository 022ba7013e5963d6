import { expect, test } from "vitest";
import { createLogger } from "@gatehouse/observability";
import { createComplaints } from "../../src/telemetry/complaints.ts";

test("what happens when no export succeeds: one line, and one more each five minutes", () => {
  const lines: string[] = [];
  let now = 0;
  const logger = createLogger({ service: "test", level: "info", destination: { write: (line) => lines.push(line) } });
  const { exportFailed, diagLogger } = createComplaints(logger, () => now);
  for (now = 0; now < 600_000; now += 10_000) {
    exportFailed(Object.assign(new Error("connect"), { code: "ECONNREFUSED" }));
    diagLogger.warn("Dropped 17 spans because maxQueueSize reached");
    diagLogger.debug("nobody wants to know");
  }
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "warn", msg: "telemetry cannot be exported, trying on" });
});
