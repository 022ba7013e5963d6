import { createRequire } from "node:module";
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import type { PinoPretty } from "pino-pretty";
import { currentContext } from "./context.ts";
import { serializeError } from "./serialize-error.ts";
import { exportLines } from "./telemetry/log-export.ts";

export type { Logger } from "pino";

export interface LoggerOptions {
  /** The `service.name`, for example `gatehouse-auth`. */
  readonly service: string;
  readonly level: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  /** Readable lines instead of JSON. */
  readonly pretty?: boolean;
  /** Exports each line through OpenTelemetry as well, after startTelemetry. */
  readonly exported?: boolean;
  /** The destination; default: standard output. */
  readonly destination?: DestinationStream;
}

// A safety net: none of these may be logged at all. Two levels deep, because a wildcard costs time on every line.
const SECRET_KEYS = [
  "password",
  "current_password",
  "new_password",
  "password_hash",
  "authorization",
  "cookie",
  '["set-cookie"]',
  "token",
  "access_token",
  "refresh_token",
  "secret",
];

const REDACTED_PATHS = SECRET_KEYS.flatMap((key) => [key, key.startsWith("[") ? `*${key}` : `*.${key}`]);

/**
 * Returns the logger of a process: one JSON line a record, with the correlation, trace and span ids of the current context, times in
 * ISO 8601 UTC, and known secrets replaced. It writes synchronously, so that a crash loses no lines.
 */
export function createLogger({ service, level, pretty, exported, destination }: LoggerOptions): Logger {
  const output = destination ?? pino.destination({ dest: 1, sync: true });
  const readable = pretty ? prettyStream(output) : output;
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError },
      redact: { paths: REDACTED_PATHS, censor: "[redacted]" },
      mixin: contextFields,
    },
    exported ? exportLines(readable) : readable,
  );
}

function contextFields(): Record<string, string> {
  const context = currentContext();
  if (!context) return {};
  const { traceId, spanId } = context.trace;
  return { correlation_id: context.correlationId, trace_id: traceId, span_id: spanId };
}

// Loaded only when enabled, so that production does not load it.
function prettyStream(destination: DestinationStream): DestinationStream {
  const { prettyFactory } = createRequire(import.meta.url)("pino-pretty") as typeof PinoPretty;
  const format = prettyFactory({ colorize: process.stdout.isTTY, ignore: "pid", singleLine: true });
  return { write: (line) => destination.write(format(line)) };
}
