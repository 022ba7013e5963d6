export {
  correlationIdFrom,
  currentContext,
  outgoingHeaders,
  type RequestContext,
  runInContext,
  runOutsideContext,
} from "./context.ts";
export { createLogger, type Logger, type LoggerOptions } from "./logger.ts";
export { type LoggedError, serializeError } from "./serialize-error.ts";
export type { TelemetrySettings } from "./telemetry/sdk.ts";
export { startTelemetry } from "./telemetry/start-telemetry.ts";
export { formatTraceparent, parseTraceparent } from "./traceparent.ts";
export { createHttpCalls, type OutgoingRequest } from "./tracing/http-calls.ts";
export { errorType, markFailed } from "./tracing/mark-failed.ts";
export {
  inSpan,
  openContext,
  type Received,
  type SpanDescription,
  startChild,
  startRemoteChild,
} from "./tracing/span.ts";
