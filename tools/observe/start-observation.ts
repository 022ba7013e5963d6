import { startOtlpReceiver } from "@gatehouse/test-kit/otlp";
import { styleText } from "node:util";
import { type Page, renderTrace } from "./render-trace.ts";
import { createTraceCollector, type ObservedTrace } from "./trace-collector.ts";

export interface Observation {
  /** Variables for the services, over all others. */
  readonly variables: Readonly<Record<string, string>>;
  /** Returns true for a log line of a request that the printed trace replaces. */
  replaces(line: string): boolean;
  /** Prints traces that start from now on; those of the start itself belong to no request. */
  begin(): void;
  /** Prints the rest. Call it when the services have ended. */
  stop(): Promise<void>;
}

const CHECK_EVERY_MS = 100;
const LIMITS = { quietMs: 500, longestWaitMs: 5_000, rememberMs: 60_000, maxSpans: 20_000 };
const MAX_CORRELATION_IDS = 1_000;

/** Receives the traces of the services and prints each when it is complete. */
export async function startObservation(
  environment: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<Observation> {
  let begunAt = Number.POSITIVE_INFINITY;
  const correlationIds = new Map<string, string>();
  const collector = createTraceCollector({ now: () => performance.now(), ...LIMITS });
  const receiver = await startOtlpReceiver({
    keep: false,
    onSpans: (spans) => collector.add(spans.filter(({ startMs }) => startMs >= begunAt)),
  });
  const { variables, note } = observedVariables(environment, receiver.url);
  if (note !== undefined) say(note);
  const print = (traces: readonly ObservedTrace[]) => {
    for (const trace of traces) say(renderTrace(trace, terminalPage(), correlationIds.get(trace.traceId)).join("\n"));
  };
  const timer = setInterval(() => print(collector.due()), CHECK_EVERY_MS);
  timer.unref();
  return {
    variables,
    replaces(line) {
      const request = readRequestLine(line);
      if (request === undefined) return false;
      if (!correlationIds.has(request.traceId)) correlationIds.set(request.traceId, request.correlationId);
      for (const [oldest] of correlationIds)
        if (correlationIds.size > MAX_CORRELATION_IDS) correlationIds.delete(oldest);
      return request.isRoutine;
    },
    begin: () => void (begunAt = Date.now()),
    async stop() {
      clearInterval(timer);
      await receiver.stop();
      print(collector.rest());
    },
  };
}

/** Read for each trace, because a window can be resized. */
function terminalPage(): Page {
  const { stdout } = process;
  const hasColors = stdout.isTTY && stdout.hasColors();
  return {
    width: stdout.columns ?? 80,
    paint: (style, text) => (hasColors && text !== "" ? styleText(style, text, { validateStream: false }) : text),
    timeOfDay: (ms) => new Date(ms).toTimeString().slice(0, 8),
  };
}

const REQUEST = /"level":"(info|warn|error)".*"msg":"request"|\b(INFO|WARN|ERROR): request \{/;
const TRACE_ID = /"trace_id":"([0-9a-f]{32})"/;
const CORRELATION_ID = /"correlation_id":"([A-Za-z0-9._:-]{1,128})"/;

/** Reads the log line of a request, in JSON or the pretty format. Returns undefined for other lines and for health checks. */
export function readRequestLine(line: string) {
  const [, json, pretty] = REQUEST.exec(line) ?? [];
  const [traceId, correlationId] = [TRACE_ID.exec(line)?.[1], CORRELATION_ID.exec(line)?.[1]];
  const level = json ?? pretty;
  if (level === undefined || traceId === undefined || correlationId === undefined) return undefined;
  return { traceId, correlationId, isRoutine: level.toLowerCase() === "info" };
}

/** Returns the variables that send every trace to the receiver at once, and a note when traces would go elsewhere without them. */
export function observedVariables(environment: NodeJS.ProcessEnv, receiverUrl: string) {
  const isDisabled = /^(true|1|yes|on)$/i.test(environment["OTEL_SDK_DISABLED"]?.trim() ?? "");
  const endpoint =
    environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ||
    environment["OTEL_EXPORTER_OTLP_ENDPOINT"] ||
    environment["OTEL_TRACES_EXPORTER"]?.replace(/^(otlp|none)$/, "");
  const variables = {
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiverUrl}/v1/traces`,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: "none",
    OTEL_TRACES_SAMPLER: "always_on",
    OTEL_BSP_SCHEDULE_DELAY: "100",
    ...(isDisabled && { OTEL_SDK_DISABLED: "false", OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" }),
  };
  const note = isDisabled
    ? "--observe: traces come to this terminal although OTEL_SDK_DISABLED is set; metrics and logs are not sent."
    : endpoint
      ? "--observe: traces come to this terminal instead of the endpoint that the OTEL variables name; metrics and logs still go there."
      : undefined;
  return { variables, note };
}
