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

/** A line as the logger finishes it: serialised and redacted. */
interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg?: string;
  readonly err?: LoggedError;
  readonly [field: string]: unknown;
}

/**
 * Passes each line on as it is, and sends it by OpenTelemetry's Logs API as well. Lines that are written before the SDK has started
 * are not sent.
 */
export function exportLines(destination: DestinationStream): DestinationStream {
  // The API's own stand-in, which finds the SDK when that has come.
  const logger = logs.getLogger("gatehouse");
  return {
    write(line) {
      destination.write(line);
      logger.emit(recordOf(JSON.parse(line) as Line));
    },
  };
}

/** Where a record has a place of its own for a field, it is no attribute: the service is the resource's, the ids are those of the context. */
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

/** By the semantic conventions for exceptions, whose stack holds the causes. */
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
