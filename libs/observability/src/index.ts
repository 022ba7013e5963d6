export { currentContext, outgoingHeaders, type RequestContext, runInContext } from "./context.ts";
export { correlationIdFrom } from "./correlation.ts";
export { createLogger, type Logger, type LoggerOptions } from "./logger.ts";
export { type LoggedError, serializeError } from "./serialize-error.ts";
export { traceparentFrom } from "./traceparent.ts";
export { startTelemetry, type TelemetrySettings } from "./telemetry/start-telemetry.ts";
