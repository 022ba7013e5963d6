import { readEnvironment, telemetryVariables } from "@gatehouse/config";
import { telemetrySettings } from "../../src/groups.ts";
import { describe, expect, test } from "vitest";

const settingsOf = (environment: NodeJS.ProcessEnv) =>
  telemetrySettings(readEnvironment(telemetryVariables, environment));

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

describe("telemetrySettings", () => {
  test.each<[what: string, environment: NodeJS.ProcessEnv, sent: string]>([
    ["nothing is set", {}, "nothing"],
    ["there is an endpoint", ENDPOINT, "traces and metrics"],
    ["there is one for traces only", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c:4318/v1/traces" }, "traces"],
    ["there is one for metrics only", { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "https://c/m?tenant=1" }, "metrics"],
    ["logs are requested", { ...ENDPOINT, OTEL_LOGS_EXPORTER: "otlp" }, "traces and metrics and logs"],
    ["logs are requested without an endpoint", { OTEL_LOGS_EXPORTER: "otlp" }, "nothing"],
    [
      "only logs have an endpoint, and no exporter is set",
      { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://c/l" },
      "nothing",
    ],
    ["an exporter that needs no endpoint is named", { OTEL_METRICS_EXPORTER: "prometheus" }, "metrics"],
    ["one signal is turned off", { ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" }, "metrics"],
    [
      "all telemetry is turned off",
      { ...ENDPOINT, OTEL_LOGS_EXPORTER: "console", OTEL_SDK_DISABLED: "true" },
      "nothing",
    ],
    ["an interval alone is set", { OTEL_METRIC_EXPORT_INTERVAL: "1000" }, "nothing"],
  ])("when %s", (_what, environment, sent) => {
    const wanted = Object.entries(settingsOf(environment)).filter(([, isWanted]) => isWanted);
    expect(wanted.map(([signal]) => signal).join(" and ") || "nothing").toBe(sent);
  });

  test("names an invalid variable", () => {
    const wrong = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
      OTEL_METRIC_EXPORT_INTERVAL: "often",
      OTEL_TRACES_EXPORTER: "otlp,jaeger",
      OTEL_TRACES_SAMPLER: "sometimes",
      OTEL_TRACES_SAMPLER_ARG: "10%",
    };
    for (const name of Object.keys(wrong)) expect(() => settingsOf(wrong)).toThrow(`${name}: `);
  });
});
