import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const FOLDER = fileURLToPath(new URL("../../", import.meta.url));

/** Starts telemetry in a process of its own and says which of OpenTelemetry's packages that has loaded. */
async function packagesLoaded(metrics: object | undefined): Promise<string[]> {
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
    const telemetry = await startTelemetry({ service: "test", settings: { metrics: ${JSON.stringify(metrics)} }, logger });
    await telemetry.close();
    console.log(JSON.stringify([...loaded]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: FOLDER,
  });
  return JSON.parse(stdout) as string[];
}

test("what happens when no telemetry is configured: nothing of the SDK is loaded", async () => {
  expect(await packagesLoaded(undefined)).toEqual([]);
});

test("what happens when it is: the SDK is loaded, and a collector that is away does not keep the process from ending", async () => {
  const loaded = await packagesLoaded({ url: "http://127.0.0.1:9/v1/metrics", intervalMs: 60_000 });
  expect(loaded).toContain("@opentelemetry/sdk-metrics");
});
