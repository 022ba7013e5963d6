import { createRequire } from "node:module";
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import type { PinoPretty } from "pino-pretty";
import { currentContext } from "./context.ts";
import { serializeError } from "./serialize-error.ts";
import { exportLines } from "./telemetry/log-export.ts";

export type { Logger } from "pino";

export interface LoggerOptions {
  /** As in `service.name`, for example `gatehouse-auth`. */
  readonly service: string;
  readonly level: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  /** Lines for people instead of JSON. */
  readonly pretty?: boolean;
  /** Each line by OpenTelemetry as well, from startTelemetry on. */
  readonly exported?: boolean;
  /** Where the lines go; standard output by default. */
  readonly destination?: DestinationStream;
}

// A net below the rule that none of these is logged at all. Two levels deep, since a wildcard costs on every line.
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
 * The logger of one process: one JSON line a record, with the ids of correlation, trace and span of the current
 * context, times in ISO 8601 UTC, and known secrets replaced. It writes synchronously, so that the last lines of
 * a dying process are not lost.
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

// Loaded only when wanted: a process in production pays nothing for it.
function prettyStream(destination: DestinationStream): DestinationStream {
  const { prettyFactory } = createRequire(import.meta.url)("pino-pretty") as typeof PinoPretty;
  const format = prettyFactory({ colorize: process.stdout.isTTY, ignore: "pid", singleLine: true });
  return { write: (line) => destination.write(format(line)) };
}
