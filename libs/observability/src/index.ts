export { currentContext, outgoingHeaders, type RequestContext, runInContext, runOutsideContext } from "./context.ts";
export { correlationIdFrom } from "./correlation.ts";
export { createLogger, type Logger, type LoggerOptions } from "./logger.ts";
export { type LoggedError, serializeError } from "./serialize-error.ts";
export { startTelemetry, type TelemetrySettings } from "./telemetry/start-telemetry.ts";
export { formatTraceparent, newTraceContext, parseTraceparent } from "./traceparent.ts";
export { createHttpCalls, type HttpCall, type HttpCalls, type OutgoingRequest } from "./tracing/http-calls.ts";
export { errorType, markFailed } from "./tracing/mark-failed.ts";
export {
  inSpan,
  openContext,
  type Received,
  type SpanDescription,
  startChild,
  startRemoteChild,
} from "./tracing/span.ts";
