import { describe, expect, test } from "vitest";
import { correlationIdFrom, formatTraceparent, newTraceContext, parseTraceparent } from "@gatehouse/observability";
import type { SpanContext } from "@opentelemetry/api";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("what happens to the caller's correlation id", () => {
  test.each(["a", "A-Z_09.:-", "x".repeat(128)])("%s is kept", (header) => {
    expect(correlationIdFrom(header)).toBe(header);
  });

  test.each([undefined, "", "x".repeat(129), "a b", "a\nb", "a,b", "é", "a\0"])("%j becomes a UUIDv7", (header) => {
    expect(correlationIdFrom(header)).toMatch(UUID_V7);
  });
});

describe("what happens to the caller's traceparent", () => {
  test("a valid one says where the caller is, and comes out as it went in", () => {
    const header = `00-${TRACE}-${SPAN}-00`;
    expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 0, isRemote: true });
    expect(formatTraceparent(parseTraceparent(header) as SpanContext)).toBe(header);
  });

  test("its trace and its sampling are kept, and get a place of their own", () => {
    const own = newTraceContext(parseTraceparent(`00-${TRACE}-${SPAN}-00`));
    expect(own).toEqual({ traceId: TRACE, spanId: expect.stringMatching(/^[0-9a-f]{16}$/), traceFlags: 0 });
    expect(own.spanId).not.toBe(SPAN);
  });

  test("one of a later version is read as far as it is known, flags too", () => {
    const future = parseTraceparent(`cc-${TRACE}-${SPAN}-07-what-the-future-brings`);
    expect(formatTraceparent(future as SpanContext)).toBe(`00-${TRACE}-${SPAN}-01`);
  });

  test.each([
    undefined,
    "",
    "nonsense",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-1`,
  ])("%j is none, and a new trace begins", (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  test("a new trace has ids nobody has had", () => {
    const [one, other] = [newTraceContext(undefined), newTraceContext(undefined)];
    expect(formatTraceparent(one)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(one.traceId).not.toBe(other.traceId);
  });
});
