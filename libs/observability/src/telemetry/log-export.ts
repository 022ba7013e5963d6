import { type Attributes, logs, ROOT_CONTEXT, SeverityNumber, trace } from "@opentelemetry/api";
import type { DestinationStream } from "pino";
import { currentContext } from "../context.ts";
import type { LoggedError } from "../serialize-error.ts";

const SEVERITIES: Readonly<Record<string, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};

/** A finished line of the logger: serialized and redacted. */
interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg?: string;
  readonly err?: LoggedError;
  readonly [field: string]: unknown;
}

/** Writes each line unchanged and also sends it through OpenTelemetry's Logs API. Lines written before the SDK started are not sent. */
export function exportLines(destination: DestinationStream): DestinationStream {
  // The API returns a proxy that uses the SDK once it has started.
  const logger = logs.getLogger("gatehouse");
  return {
    write(line) {
      destination.write(line);
      logger.emit(recordOf(JSON.parse(line) as Line));
    },
  };
}

/** Returns a log record. Fields that a record has itself are not attributes: service, trace and span ids. */
function recordOf({ level, time, msg, err, service: _service, trace_id: _traceId, span_id: _spanId, ...fields }: Line) {
  const context = currentContext();
  return {
    timestamp: new Date(time),
    severityNumber: SEVERITIES[level] ?? SeverityNumber.UNSPECIFIED,
    severityText: level,
    body: msg ?? "",
    attributes: { ...fields, ...(err && exceptionAttributes(err)) },
    context: context ? trace.setSpanContext(ROOT_CONTEXT, context.trace) : ROOT_CONTEXT,
  };
}

/** Attributes by the semantic conventions for exceptions; the stack trace contains the causes. */
function exceptionAttributes(error: LoggedError): Attributes {
  return {
    "exception.type": error.type,
    "exception.message": error.message,
    "exception.stacktrace": stacksOf(error).join("\ncaused by "),
    ...(error.code !== undefined && { "error.code": String(error.code) }),
  };
}

function stacksOf({ type, message, stack, cause }: LoggedError): string[] {
  return [stack ?? `${type}: ${message}`, ...(cause ? stacksOf(cause) : [])];
}
