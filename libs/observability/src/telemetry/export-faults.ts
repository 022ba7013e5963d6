import type { DiagLogger } from "@opentelemetry/api";
import type { Logger } from "../logger.ts";

/** An unavailable collector fails each export: it is logged once, then every five minutes. */
const REPEAT_AFTER_MS = 300_000;

export interface ExportFaultsDeps {
  readonly logger: Logger;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

/** Logs the SDK's messages and failed exports. Each kind is limited separately, so that neither hides the other. */
export function createExportFaults({ logger, now = () => performance.now() }: ExportFaultsDeps) {
  function limited(report: (cause: unknown) => void): (cause: unknown) => void {
    let reportedAt = Number.NEGATIVE_INFINITY;
    return (cause) => {
      if (now() - reportedAt < REPEAT_AFTER_MS) return;
      reportedAt = now();
      report(cause);
    };
  }

  // The SDK's messages quote its configuration, never recorded data.
  const warn = limited((message) => logger.warn(`telemetry: ${String(message)}`));
  const silent = () => {};
  const diagLogger: DiagLogger = { error: warn, warn, info: silent, debug: silent, verbose: silent };
  return {
    diagLogger,
    exportFailed: limited((error) => logger.warn({ err: error }, "telemetry export failed, retrying")),
  };
}
