import type { ReceivedSpan } from "@gatehouse/test-kit/otlp";

/** The part of a trace to print now. */
export interface ObservedTrace {
  readonly traceId: string;
  /** New spans, in the order of their arrival. */
  readonly spans: readonly ReceivedSpan[];
  /** Spans that were printed before. */
  readonly shown: readonly ReceivedSpan[];
}

export interface TraceCollector {
  add(spans: readonly ReceivedSpan[]): void;
  /** Returns the traces that are complete or waited too long, the oldest first. Each span is returned once. */
  due(): ObservedTrace[];
  /** Returns everything that `due` has not returned. */
  rest(): ObservedTrace[];
}

export interface CollectorOptions {
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** A trace is complete when no span arrived for this time and no span lacks its parent. */
  readonly quietMs: number;
  /** Incomplete traces are due after this time. */
  readonly longestWaitMs: number;
  /** Printed spans are kept for this time, so that late spans find their ancestors. */
  readonly rememberMs: number;
  /** The most spans to hold, printed ones included; the oldest traces leave first. */
  readonly maxSpans: number;
}

interface HeldTrace {
  readonly spans: ReceivedSpan[];
  shown: number;
  /** The arrival of the first new span. */
  waitsSince: number;
  lastAt: number;
}

/** Groups spans by trace. They arrive in any order and from several processes, children before their parents. */
export function createTraceCollector(options: CollectorOptions): TraceCollector {
  const { now, quietMs, longestWaitMs, rememberMs, maxSpans } = options;
  const traces = new Map<string, HeldTrace>();
  const displaced: ObservedTrace[] = [];
  let held = 0;

  function take(traceId: string, trace: HeldTrace): ObservedTrace {
    const [shown, spans] = [trace.spans.slice(0, trace.shown), trace.spans.slice(trace.shown)];
    trace.shown = trace.spans.length;
    return { traceId, spans, shown };
  }

  function forget(traceId: string, trace: HeldTrace): void {
    traces.delete(traceId);
    held -= trace.spans.length;
  }

  function isDue({ spans, waitsSince, lastAt }: HeldTrace): boolean {
    return now() - waitsSince >= longestWaitMs || (now() - lastAt >= quietMs && !lacksParent(spans));
  }

  function takeWhere(isTaken: (trace: HeldTrace) => boolean): ObservedTrace[] {
    const taken = displaced.splice(0);
    for (const [traceId, trace] of traces) if (hasNew(trace) && isTaken(trace)) taken.push(take(traceId, trace));
    return taken;
  }

  return {
    add(spans) {
      const at = now();
      for (const span of spans) {
        const trace = traces.get(span.traceId) ?? { spans: [], shown: 0, waitsSince: at, lastAt: at };
        traces.set(span.traceId, trace);
        if (!hasNew(trace)) trace.waitsSince = at;
        trace.lastAt = at;
        trace.spans.push(span);
        held++;
      }
      for (const [traceId, trace] of traces) {
        if (held <= maxSpans) return;
        if (hasNew(trace)) displaced.push(take(traceId, trace));
        forget(traceId, trace);
      }
    },
    due() {
      const taken = takeWhere(isDue);
      for (const [traceId, trace] of traces)
        if (!hasNew(trace) && now() - trace.lastAt >= rememberMs) forget(traceId, trace);
      return taken;
    },
    rest: () => takeWhere(() => true),
  };
}

const hasNew = ({ spans, shown }: HeldTrace): boolean => spans.length > shown;

/** The parent of the gateway's server span is in the client and never arrives. */
function lacksParent(spans: readonly ReceivedSpan[]): boolean {
  const present = new Set(spans.map(({ spanId }) => spanId));
  return spans.some(
    ({ parentSpanId, kind, resource }) =>
      parentSpanId !== undefined &&
      !present.has(parentSpanId) &&
      !(kind === "SERVER" && resource["service.name"] === "gatehouse-gateway"),
  );
}
