import { readEnvironment, telemetrySettings, telemetryVariables } from "@gatehouse/config";
import { describe, expect, test } from "vitest";

const settingsOf = (environment: NodeJS.ProcessEnv) =>
  telemetrySettings(readEnvironment(telemetryVariables, environment));

const COMMON = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
const OWN = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "https://metrics.example.com/otlp?tenant=1" };

describe("where metrics go", () => {
  test.each<[what: string, environment: NodeJS.ProcessEnv, url: string | undefined]>([
    ["nothing is set", {}, undefined],
    ["there is an endpoint for everything", COMMON, "http://collector:4318/v1/metrics"],
    ["it ends with a slash", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1/otlp/" }, "http://c:1/otlp/v1/metrics"],
    ["there is one for metrics: it is used as it is", { ...COMMON, ...OWN }, OWN.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT],
    ["all telemetry is turned off", { ...COMMON, ...OWN, OTEL_SDK_DISABLED: "true" }, undefined],
    ["an interval alone is set", { OTEL_METRIC_EXPORT_INTERVAL: "1000" }, undefined],
  ])("when %s", (_what, environment, url) => {
    expect(settingsOf(environment).metrics?.url).toBe(url);
  });

  test("how often: once a minute, or as told", () => {
    expect(settingsOf(COMMON).metrics?.intervalMs).toBe(60_000);
    expect(settingsOf({ ...COMMON, OTEL_METRIC_EXPORT_INTERVAL: "5000" }).metrics?.intervalMs).toBe(5_000);
  });

  test("what is wrong is named", () => {
    const wrong = { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318", OTEL_METRIC_EXPORT_INTERVAL: "often" };
    expect(() => settingsOf(wrong)).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT: [^]*OTEL_METRIC_EXPORT_INTERVAL: /);
  });
});
