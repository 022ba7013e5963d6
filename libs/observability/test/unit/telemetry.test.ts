import { startOtlpReceiver } from "@gatehouse/test-kit/otlp";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const FOLDER = fileURLToPath(new URL("../../", import.meta.url));

/** Runs code in a new process, because an SDK is global to its process. Returns its output. */
async function run(code: string, variables: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: FOLDER,
    env: { ...process.env, ...variables },
  });
  return stdout;
}

/** Starts telemetry in a new process and returns the loaded OpenTelemetry packages. */
async function packagesLoaded(wanted: boolean): Promise<string[]> {
  const code = `
    import { registerHooks } from "node:module";
    const loaded = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier.startsWith("@opentelemetry/")) loaded.add(specifier);
        return next(specifier, context);
      },
    });
    const { createLogger, startTelemetry } = await import("@gatehouse/observability");
    const logger = createLogger({ service: "test", level: "silent" });
    const telemetry = await startTelemetry({ service: "test", settings: { traces: ${wanted}, metrics: ${wanted}, logs: false }, logger });
    await telemetry.close();
    console.log(JSON.stringify([...loaded]));
    process.exit();`;
  return JSON.parse(await run(code, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" })) as string[];
}

test("startTelemetry loads only the API when no signal is enabled", async () => {
  expect(await packagesLoaded(false)).toEqual(["@opentelemetry/api"]);
});

test("startTelemetry loads the SDK, which closes also without a collector", async () => {
  expect(await packagesLoaded(true)).toEqual(expect.arrayContaining(["@opentelemetry/api", "@opentelemetry/sdk-node"]));
});

test("exported lines are equal to the written ones, redacted and with trace ids", async () => {
  const receiver = await startOtlpReceiver();
  onTestFinished(() => receiver.stop());
  const [traceId, spanId] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const code = `
    const { createLogger, runInContext, startTelemetry } = await import("@gatehouse/observability");
    const logger = createLogger({ service: "test", level: "info", exported: true });
    const telemetry = await startTelemetry({ service: "test", settings: { traces: false, metrics: false, logs: true }, logger });
    runInContext({ correlationId: "order-66", trace: { traceId: "${traceId}", spanId: "${spanId}", traceFlags: 1 } }, () => {
      logger.info({ status: 200, headers: { authorization: "s3cret" }, password: "s3cret" }, "request");
      const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      logger.error({ err: new TypeError("no function", { cause }) }, "failed");
    });
    logger.debug("unheard");
    logger.warn("elsewhere");
    await telemetry.close();
    process.exit();`;
  const printed = await run(code, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_LOGS_EXPORTER: "otlp",
  });
  expect(
    printed
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { msg: string }).msg),
  ).toEqual(["request", "failed", "elsewhere"]);
  const place = { traceId, spanId, resource: expect.objectContaining({ "service.name": "test" }) };
  expect(receiver.logs).toMatchObject([
    {
      ...place,
      severity: "info",
      body: "request",
      attributes: { correlation_id: "order-66", status: 200, password: "[redacted]" },
    },
    {
      ...place,
      severity: "error",
      body: "failed",
      attributes: {
        "exception.type": "TypeError",
        "exception.message": "no function",
        "exception.stacktrace": expect.stringMatching(/no function[^]*caused by Error: refused/),
      },
    },
    { severity: "warn", body: "elsewhere", traceId: undefined },
  ]);
  expect(receiver.bodies.join()).not.toContain("s3cret");
});
