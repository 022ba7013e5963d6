import type { DiagLogger } from "@opentelemetry/api";
import type { Logger } from "../logger.ts";

/** A collector that is away fails each export: one line says so, and one more each five minutes for as long as it lasts. */
const REPEAT_AFTER_MS = 300_000;

/** What the SDK has to complain about, in our log. */
export function createComplaints(logger: Logger, now: () => number = () => performance.now()) {
  let complainedAt = Number.NEGATIVE_INFINITY;

  function complain(fields: object, message: string): void {
    if (now() - complainedAt < REPEAT_AFTER_MS) return;
    complainedAt = now();
    logger.warn(fields, message);
  }

  // Its messages quote what it was configured with, never what was recorded.
  const say = (message: string) => complain({}, `telemetry: ${message}`);
  const silent = () => {};
  const diagLogger: DiagLogger = { error: say, warn: say, info: silent, debug: silent, verbose: silent };
  return {
    diagLogger,
    exportFailed: (error: unknown) => complain({ err: error }, "telemetry cannot be exported, trying on"),
  };
}
