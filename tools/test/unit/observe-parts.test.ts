import { createLogger, openContext, runInContext } from "@gatehouse/observability";
import { describe, expect, it } from "vitest";
import { briefDuration, timeline } from "../../observe/render-trace.ts";
import { observedVariables, readRequestLine } from "../../observe/start-observation.ts";

describe("readRequestLine", () => {
  const context = openContext({ correlationId: "abc.1", traceparent: undefined });
  const logged = (pretty: boolean, write: (logger: ReturnType<typeof createLogger>) => void) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line.trimEnd()) };
    runInContext(context, () =>
      write(createLogger({ service: "gatehouse-auth", level: "debug", pretty, destination })),
    );
    return lines.join("\n");
  };

  describe.each([
    ["pretty", true],
    ["JSON", false],
  ])("in the format %s", (_form, pretty) => {
    it.each([
      ["info", true],
      ["warn", false],
      ["error", false],
    ] as const)("reads trace id and correlation id at level %s; routine: %s", (level, isRoutine) => {
      const line = logged(pretty, (logger) => logger[level]({ method: "GET", status: 200 }, "request"));
      expect(readRequestLine(line)).toEqual({ traceId: context.trace.traceId, correlationId: "abc.1", isRoutine });
    });

    it.each<[string, (logger: ReturnType<typeof createLogger>) => void]>([
      ["another message", (logger) => logger.info({ method: "GET" }, "request failed")],
      ["a health check", (logger) => logger.debug({ method: "GET" }, "request")],
    ])("ignores %s", (_what, write) => {
      expect(readRequestLine(logged(pretty, write))).toBeUndefined();
    });
  });
});

describe("observedVariables", () => {
  const URL_HERE = "http://127.0.0.1:4000";
  const HERE = { OTEL_TRACES_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${URL_HERE}/v1/traces` };

  it("leaves the variables of metrics and logs unset", () => {
    const { variables, note } = observedVariables({ OTEL_TRACES_EXPORTER: "otlp" }, URL_HERE);
    expect([variables, note]).toMatchObject([HERE, undefined]);
    expect(Object.keys(variables).filter((name) => !/TRACES|BSP/.test(name))).toEqual([]);
  });

  it.each([
    ["an endpoint for everything", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" }],
    ["an endpoint for traces", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:4318/v1/traces" }],
    ["another exporter", { OTEL_TRACES_EXPORTER: "console" }],
  ])("overrides %s and returns a note", (_what, environment) => {
    const { variables, note } = observedVariables(environment, URL_HERE);
    expect([variables, note]).toMatchObject([HERE, expect.stringContaining("come to this terminal")]);
  });

  it("overrides OTEL_SDK_DISABLED for traces only", () => {
    const { variables, note } = observedVariables({ OTEL_SDK_DISABLED: "true" }, URL_HERE);
    const others = { OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" };
    expect(variables).toMatchObject({ ...HERE, OTEL_SDK_DISABLED: "false", ...others });
    expect(note).toContain("although OTEL_SDK_DISABLED is set");
  });
});

describe("timeline and briefDuration", () => {
  const whole = { startMs: 1_000, durationMs: 100 };

  it.each([
    ["the whole", [{ startMs: 1_000, durationMs: 100 }], "━━━━━━━━━━"],
    ["the first half", [{ startMs: 1_000, durationMs: 50 }], "━━━━━     "],
    ["a moment at the end", [{ startMs: 1_100, durationMs: 0 }], "         ━"],
    ["two moments", [10, 70].map((at) => ({ startMs: 1_000 + at, durationMs: 0.1 })), " ━     ━  "],
  ])("draws %s", (_what, stretches, line) => {
    expect(timeline(stretches, whole, 10)).toBe(line);
  });

  it("draws a moment within a whole of no duration", () => {
    expect(timeline([{ startMs: 5, durationMs: 0 }], { startMs: 5, durationMs: 0 }, 3)).toBe("━  ");
  });

  it.each([
    [0, "0.00 ms"],
    [0.994, "0.99 ms"],
    [0.996, "1.0 ms"],
    [9.96, "10 ms"],
    [999.4, "999 ms"],
    [999.6, "1.00 s"],
    [61_000, "61.00 s"],
  ])("formats %d ms as %s", (milliseconds, text) => {
    expect(briefDuration(milliseconds)).toBe(text);
  });
});
