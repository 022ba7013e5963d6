import {
  type ConfigError,
  fittingWorkers,
  readEnvironment,
  telemetryVariables,
  workerSettings,
  workerVariables,
} from "@gatehouse/config";
import { describe, expect, test } from "vitest";

const settingsOf = (environment: NodeJS.ProcessEnv) =>
  workerSettings(readEnvironment({ ...workerVariables, ...telemetryVariables }, environment, [fittingWorkers]));

describe("the workers of a service", () => {
  test.each<[what: string, environment: NodeJS.ProcessEnv, settings: [number, number, number]]>([
    ["nothing is set: one process that is alone", {}, [1, 0, 0]],
    ["several are wanted", { WEB_CONCURRENCY: "4" }, [4, 0, 0]],
    ["they are to be replaced: a tenth apart", { WEB_CONCURRENCY: "2", WEB_MAX_REQUESTS: "1001" }, [2, 1001, 101]],
    [
      "all after the same number",
      { WEB_CONCURRENCY: "2", WEB_MAX_REQUESTS: "1000", WEB_MAX_REQUESTS_JITTER: "0" },
      [2, 1000, 0],
    ],
    ["never, said aloud", { WEB_CONCURRENCY: "1", WEB_MAX_REQUESTS: "0" }, [1, 0, 0]],
  ])("when %s", (_what, environment, [count, maxRequests, maxRequestsJitter]) => {
    expect(settingsOf(environment)).toEqual({ count, maxRequests, maxRequestsJitter });
  });

  test.each<[what: string, environment: NodeJS.ProcessEnv, name: string]>([
    ["no worker", { WEB_CONCURRENCY: "0" }, "WEB_CONCURRENCY"],
    ["more than 64", { WEB_CONCURRENCY: "65" }, "WEB_CONCURRENCY"],
    ["a word", { WEB_CONCURRENCY: "auto" }, "WEB_CONCURRENCY"],
    ["a process that nobody would replace", { WEB_MAX_REQUESTS: "1000" }, "WEB_MAX_REQUESTS"],
    [
      "a page of metrics that is another worker's each time",
      { WEB_CONCURRENCY: "2", OTEL_METRICS_EXPORTER: "prometheus" },
      "OTEL_METRICS_EXPORTER",
    ],
  ])("what is refused: %s", (_what, environment, name) => {
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
