import { startOtlpReceiver } from "@gatehouse/test-kit/otlp";
import { styleText } from "node:util";
import { readRequestLine } from "./request-line.ts";
import { type Page, renderTrace } from "./render-trace.ts";
import { observedVariables } from "./telemetry-variables.ts";
import { createTraceCollector, type ObservedTrace } from "./trace-collector.ts";

export interface Observation {
  /** What the services need in their environment, over everything else. */
  readonly variables: Readonly<Record<string, string>>;
  /** Takes a line of a service's log. True for a request's line that the trace replaces. */
  replaces(line: string): boolean;
  /** From now on traces are printed. What the start itself has caused is nobody's request. */
  begin(): void;
  /** Prints what is left. To be called when the services have ended. */
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 100;
/** The services send five times as often. */
const QUIET_MS = 500;
const LONGEST_WAIT_MS = 5_000;
const REMEMBER_MS = 60_000;
const MAX_SPANS = 20_000;
const MAX_CORRELATION_IDS = 1_000;

/** Receives the traces of the services and prints each as soon as it is over. */
export async function startObservation(
  environment: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<Observation> {
  let begunAt = Number.POSITIVE_INFINITY;
  const correlationIds = new Map<string, string>();
  const collector = createTraceCollector({
    now: () => performance.now(),
    quietMs: QUIET_MS,
    longestWaitMs: LONGEST_WAIT_MS,
    rememberMs: REMEMBER_MS,
    maxSpans: MAX_SPANS,
  });
  const receiver = await startOtlpReceiver({
    keep: false,
    onSpans: (spans) => collector.add(spans.filter(({ startMs }) => startMs >= begunAt)),
  });
  const { variables, note } = observedVariables(environment, receiver.url);
  if (note !== undefined) say(note);

  const print = (traces: readonly ObservedTrace[]) => {
    for (const trace of traces) say(renderTrace(trace, terminalPage(), correlationIds.get(trace.traceId)).join("\n"));
  };
  const timer = setInterval(() => print(collector.due()), LOOK_EVERY_MS);
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

/** Asked for each time, since a window may get wider. Colours where the terminal has them and NO_COLOR does not refuse them. */
function terminalPage(): Page {
  const { stdout } = process;
  const hasColours = stdout.isTTY && stdout.hasColors();
  return {
    width: stdout.columns ?? 80,
    paint: (style, text) => (hasColours && text !== "" ? styleText(style, text, { validateStream: false }) : text),
    timeOfDay: (ms) => new Date(ms).toTimeString().slice(0, 8),
  };
}
