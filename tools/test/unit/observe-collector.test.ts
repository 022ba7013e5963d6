import { beforeEach, describe, expect, it } from "vitest";
import { createTraceCollector, type ObservedTrace, type TraceCollector } from "../../observe/trace-collector.ts";
import { REGISTRATION, sketch } from "../observed-span.ts";

let now = 0;
let collector: TraceCollector;
beforeEach(() => {
  now = 0;
  const times = { quietMs: 500, longestWaitMs: 5_000, rememberMs: 60_000 };
  collector = createTraceCollector({ now: () => now, ...times, maxSpans: 20 });
});

const names = (traces: readonly ObservedTrace[]) => traces.map(({ spans }) => spans.map(({ name }) => name));
const one = (name: string, traceId: string) => sketch({ service: "auth", kind: "SERVER", name }, traceId);

describe("trace collector", () => {
  it("returns a trace of several processes once, complete, after the quiet time", () => {
    const spans = sketch(REGISTRATION);
    collector.add(spans.slice(0, 5));
    now = 400;
    collector.add(spans.slice(5));
    now = 899;
    expect(collector.due()).toEqual([]);
    now = 900;
    expect(collector.due()).toEqual([{ traceId: spans[0]?.traceId, spans, shown: [] }]);
    now = 2_000;
    expect([collector.due(), collector.rest()]).toEqual([[], []]);
  });

  it("holds spans until their parent has ended", () => {
    const spans = sketch(REGISTRATION);
    collector.add(spans.slice(0, -1));
    now = 3_000;
    expect(collector.due()).toEqual([]);
    collector.add(spans.slice(-1));
    now = 3_500;
    expect(collector.due()).toMatchObject([{ spans, shown: [] }]);
  });

  it("returns spans without their parent after the longest wait", () => {
    const spans = sketch(REGISTRATION).slice(0, -1);
    collector.add(spans);
    now = 4_999;
    expect(collector.due()).toEqual([]);
    now = 5_000;
    expect(collector.due()).toMatchObject([{ spans, shown: [] }]);
  });

  it("returns a trace that never becomes quiet after the longest wait", () => {
    for (now = 0; now < 5_000; now += 400) {
      collector.add(one(`at ${now}`, "a"));
      expect(collector.due()).toEqual([]);
    }
    expect(names(collector.due())).toEqual([Array.from({ length: 13 }, (_, index) => `at ${index * 400}`)]);
  });

  it("does not wait for the parent of the gateway's span, which the client has", () => {
    collector.add(sketch({ ...REGISTRATION, parentSpanId: "the client's", within: [] }));
    now = 500;
    expect(names(collector.due())).toEqual([["POST /v1/users"]]);
  });

  it("returns late spans together with the spans that were shown before", () => {
    const [first, later] = [one("first", "a"), one("later", "a")];
    collector.add(first);
    now = 500;
    collector.due();
    now = 30_000;
    collector.add(later);
    expect(collector.due()).toEqual([]);
    now = 30_500;
    expect(collector.due()).toEqual([{ traceId: "a", spans: later, shown: first }]);
  });

  it("forgets shown spans after the remember time", () => {
    collector.add(one("first", "a"));
    now = 500;
    collector.due();
    now = 60_000;
    collector.due();
    collector.add(one("later", "a"));
    now = 60_500;
    expect(collector.due()).toMatchObject([{ spans: [{ name: "later" }], shown: [] }]);
  });

  it("returns the oldest trace early when it holds too many spans, and loses none", () => {
    for (let index = 0; index < 22; index++) collector.add(one(`span of ${index}`, `trace ${index}`));
    expect(names(collector.due())).toEqual([["span of 0"], ["span of 1"]]);
    expect(names(collector.rest())).toHaveLength(20);
  });

  it("returns one trace with too many spans in parts", () => {
    for (let index = 0; index < 43; index++) collector.add(one(`span ${index}`, "endless"));
    expect(collector.due().map(({ spans }) => spans.length)).toEqual([21, 21]);
    expect(names(collector.rest())).toEqual([["span 42"]]);
  });

  it("returns the rest at the end, complete or not", () => {
    collector.add(sketch(REGISTRATION).slice(0, 3));
    expect(names(collector.rest())).toEqual([["hash password", "BEGIN", "INSERT auth.accounts"]]);
    expect(collector.rest()).toEqual([]);
  });
});
