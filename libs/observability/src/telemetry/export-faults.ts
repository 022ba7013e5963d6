import type { DiagLogger } from "@opentelemetry/api";
import type { Logger } from "../logger.ts";

/** A collector that is away fails each export: one line says so, and one more each five minutes for as long as it lasts. */
const REPEAT_AFTER_MS = 300_000;

/** What the SDK has to complain about, in our log. Failed exports and everything else are silenced each by itself: neither hides the other. */
export function createComplaints(logger: Logger, now: () => number = () => performance.now()) {
  function seldom(complain: (cause: unknown) => void): (cause: unknown) => void {
    let complainedAt = Number.NEGATIVE_INFINITY;
    return (cause) => {
      if (now() - complainedAt < REPEAT_AFTER_MS) return;
      complainedAt = now();
      complain(cause);
    };
  }

  // Its messages quote what it was configured with, never what was recorded.
  const say = seldom((message) => logger.warn(`telemetry: ${String(message)}`));
  const silent = () => {};
  const diagLogger: DiagLogger = { error: say, warn: say, info: silent, debug: silent, verbose: silent };
  return {
    diagLogger,
    exportFailed: seldom((error) => logger.warn({ err: error }, "telemetry cannot be exported, trying on")),
  };
}
