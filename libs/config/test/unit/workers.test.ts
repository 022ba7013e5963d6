import {
  type ConfigError,
  metricsOfWorkers,
  readEnvironment,
  telemetryVariables,
  workerVariables,
} from "@gatehouse/config";
import { workerSettings } from "../../src/workers.ts";
import { describe, expect, test } from "vitest";

const settingsOf = (environment: NodeJS.ProcessEnv) =>
  workerSettings(readEnvironment({ ...workerVariables, ...telemetryVariables }, environment, [metricsOfWorkers]));

describe("WEB_CONCURRENCY", () => {
  test("defaults to one process", () => {
    expect(settingsOf({})).toEqual({ count: 1 });
  });

  test("sets the number of workers", () => {
    expect(settingsOf({ WEB_CONCURRENCY: "4" })).toEqual({ count: 4 });
  });

  test.each<[what: string, environment: NodeJS.ProcessEnv, name: string]>([
    ["no worker", { WEB_CONCURRENCY: "0" }, "WEB_CONCURRENCY"],
    ["more than 64 workers", { WEB_CONCURRENCY: "65" }, "WEB_CONCURRENCY"],
    ["a word", { WEB_CONCURRENCY: "auto" }, "WEB_CONCURRENCY"],
    [
      "several workers with a page of metrics to scrape",
      { WEB_CONCURRENCY: "2", OTEL_METRICS_EXPORTER: "prometheus" },
      "OTEL_METRICS_EXPORTER",
    ],
  ])("rejects %s", (_what, environment, name) => {
    const problems = (() => {
      try {
        settingsOf(environment);
        return [];
      } catch (error) {
        return (error as ConfigError).problems;
      }
    })();
    expect(problems.map((problem) => problem.name)).toEqual([name]);
  });
});
