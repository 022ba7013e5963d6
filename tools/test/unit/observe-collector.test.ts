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

describe("what happens when spans of a trace arrive …", () => {
  it("… from several processes: it comes out once, whole, when it has been quiet", () => {
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

  it("… and their parent has not ended yet: they wait for it", () => {
    const spans = sketch(REGISTRATION);
    collector.add(spans.slice(0, -1));
    now = 3_000;
    expect(collector.due()).toEqual([]);
    collector.add(spans.slice(-1));
    now = 3_500;
    expect(collector.due()).toMatchObject([{ spans, shown: [] }]);
  });

  it("… and their parent never comes: they come out after the longest wait", () => {
    const spans = sketch(REGISTRATION).slice(0, -1);
    collector.add(spans);
    now = 4_999;
    expect(collector.due()).toEqual([]);
    now = 5_000;
    expect(collector.due()).toMatchObject([{ spans, shown: [] }]);
  });

  it("… again and again: it does not wait for a quiet that does not come", () => {
    for (now = 0; now < 5_000; now += 400) {
      collector.add(one(`at ${now}`, "a"));
      expect(collector.due()).toEqual([]);
    }
    expect(names(collector.due())).toEqual([Array.from({ length: 13 }, (_, index) => `at ${index * 400}`)]);
  });

  it("… and the parent is in a client that called the gateway: nobody waits for what it does not send here", () => {
    collector.add(sketch({ ...REGISTRATION, parentSpanId: "the client's", within: [] }));
    now = 500;
    expect(names(collector.due())).toEqual([["POST /v1/users"]]);
  });

  it("… after it came out: they come out as an addition to it", () => {
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

  it("… long after it came out: it is forgotten by then, and they are a trace of their own", () => {
    collector.add(one("first", "a"));
    now = 500;
    collector.due();
    now = 60_000;
    collector.due();
    collector.add(one("later", "a"));
    now = 60_500;
    expect(collector.due()).toMatchObject([{ spans: [{ name: "later" }], shown: [] }]);
  });
});

describe("what happens when …", () => {
  it("… there are more spans than may be held: the oldest trace comes out before its time, and nothing is lost", () => {
    for (let index = 0; index < 22; index++) collector.add(one(`span of ${index}`, `trace ${index}`));
    expect(names(collector.due())).toEqual([["span of 0"], ["span of 1"]]);
    expect(names(collector.rest())).toHaveLength(20);
  });

  it("… one trace alone has more: it comes out in parts", () => {
    for (let index = 0; index < 43; index++) collector.add(one(`span ${index}`, "endless"));
    expect(collector.due().map(({ spans }) => spans.length)).toEqual([21, 21]);
    expect(names(collector.rest())).toEqual([["span 42"]]);
  });

  it("… it ends: what has not come out does, complete or not", () => {
    collector.add(sketch(REGISTRATION).slice(0, 3));
    expect(names(collector.rest())).toEqual([["hash password", "BEGIN", "INSERT auth.accounts"]]);
    expect(collector.rest()).toEqual([]);
  });
});
