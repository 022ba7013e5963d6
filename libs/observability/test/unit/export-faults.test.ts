import { expect, test } from "vitest";
import { createLogger } from "@gatehouse/observability";
import { createExportFaults } from "../../src/telemetry/export-faults.ts";

test("createExportFaults logs each kind of fault once, then every five minutes", () => {
  const lines: string[] = [];
  let now = 0;
  const logger = createLogger({ service: "test", level: "info", destination: { write: (line) => lines.push(line) } });
  const { exportFailed, diagLogger } = createExportFaults({ logger: logger, now: () => now });
  for (now = 0; now < 600_000; now += 10_000) {
    exportFailed(Object.assign(new Error("connect"), { code: "ECONNREFUSED" }));
    diagLogger.warn(`Dropped ${now} spans because maxQueueSize reached`);
    diagLogger.debug("nobody wants to know");
  }
  const said = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  const failed = "telemetry export failed, retrying";
  const dropped = (count: number) => `telemetry: Dropped ${count} spans because maxQueueSize reached`;
  expect(said).toEqual([failed, dropped(0), failed, dropped(300_000)]);
});
