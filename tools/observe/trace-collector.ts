/** What of one trace is to be shown now. */
import type { ReceivedSpan } from "@gatehouse/test-kit/otlp";
export interface ObservedTrace {
  readonly traceId: string;
  /** What has not been shown yet, in the order in which it arrived. */
  readonly spans: readonly ReceivedSpan[];
  /** What has been shown of it before; empty the first time. */
  readonly shown: readonly ReceivedSpan[];
}

export interface TraceCollector {
  add(spans: readonly ReceivedSpan[]): void;
  /** The traces whose time has come, oldest first. Each span comes out once. */
  due(): ObservedTrace[];
  /** Everything that has not come out yet, at the end. */
  rest(): ObservedTrace[];
}

export interface CollectorOptions {
  /** Milliseconds, of any beginning. */
  readonly now: () => number;
  /** A trace is over when nothing of it has come for so long. */
  readonly quietMs: number;
  /** What has begun and does not end is shown after so long. */
  readonly longestWaitMs: number;
  /** What was shown is remembered for so long, so that what comes later can be put where it belongs. */
  readonly rememberMs: number;
  /** So many spans are held at most, shown ones included. The oldest traces give way. */
  readonly maxSpans: number;
}

interface HeldTrace {
  readonly spans: ReceivedSpan[];
  shown: number;
  /** When the first span that is not shown has come. */
  waitsSince: number;
  lastAt: number;
}

/**
 * Puts spans together into traces. They arrive in any order and from several processes, children before their parents, and nobody says
 * which is the last: a trace is taken to be over when it has been quiet and no span of it waits for its parent.
 */
export function createTraceCollector(options: CollectorOptions): TraceCollector {
  const { now, quietMs, longestWaitMs, rememberMs, maxSpans } = options;
  const traces = new Map<string, HeldTrace>();
  const displaced: ObservedTrace[] = [];
  let held = 0;

  function hold(span: ReceivedSpan): void {
    const at = now();
    const trace = traces.get(span.traceId) ?? { spans: [], shown: 0, waitsSince: at, lastAt: at };
    traces.set(span.traceId, trace);
    if (!hasNews(trace)) trace.waitsSince = at;
    trace.lastAt = at;
    trace.spans.push(span);
    held++;
  }

  function take(traceId: string, trace: HeldTrace): ObservedTrace {
    const [shown, spans] = [trace.spans.slice(0, trace.shown), trace.spans.slice(trace.shown)];
    trace.shown = trace.spans.length;
    return { traceId, spans, shown };
  }

  function forget(traceId: string, trace: HeldTrace): void {
    traces.delete(traceId);
    held -= trace.spans.length;
  }

  /** The oldest trace gives way, also when it is the only one. */
  function makeRoom(): void {
    for (const [traceId, trace] of traces) {
      if (held <= maxSpans) return;
      if (hasNews(trace)) displaced.push(take(traceId, trace));
      forget(traceId, trace);
    }
  }

  function isDue(trace: HeldTrace): boolean {
    if (now() - trace.waitsSince >= longestWaitMs) return true;
    return now() - trace.lastAt >= quietMs && !waitsForParent(trace.spans);
  }

  function takeWhere(isTaken: (trace: HeldTrace) => boolean): ObservedTrace[] {
    const taken = displaced.splice(0);
    for (const [traceId, trace] of traces) if (hasNews(trace) && isTaken(trace)) taken.push(take(traceId, trace));
    return taken;
  }

  return {
    add(spans) {
      for (const span of spans) hold(span);
      makeRoom();
    },
    due() {
      const taken = takeWhere(isDue);
      for (const [traceId, trace] of traces)
        if (!hasNews(trace) && now() - trace.lastAt >= rememberMs) forget(traceId, trace);
      return taken;
    },
    rest: () => takeWhere(() => true),
  };
}

const hasNews = ({ spans, shown }: HeldTrace): boolean => spans.length > shown;

/** A parent ends after its children, and may still be on its way. That of the gateway's own span is the client's, and never comes. */
function waitsForParent(spans: readonly ReceivedSpan[]): boolean {
  const present = new Set(spans.map(({ spanId }) => spanId));
  return spans.some(
    ({ parentSpanId, kind, resource }) =>
      parentSpanId !== undefined &&
      !present.has(parentSpanId) &&
      !(kind === "SERVER" && resource["service.name"] === "gatehouse-gateway"),
  );
}
