import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const FOLDER = fileURLToPath(new URL("../../", import.meta.url));

/** Starts telemetry in a process of its own and says which of OpenTelemetry's packages that has loaded. */
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
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: FOLDER,
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" },
  });
  return JSON.parse(stdout) as string[];
}

test("what happens when no telemetry is wanted: nothing of the SDK is loaded, only the API", async () => {
  expect(await packagesLoaded(false)).toEqual(["@opentelemetry/api"]);
});

test("what happens when it is: the SDK is loaded, and a collector that is away does not keep it from closing", async () => {
  expect(await packagesLoaded(true)).toEqual(expect.arrayContaining(["@opentelemetry/api", "@opentelemetry/sdk-node"]));
});
