import { describe, expect, test } from "vitest";
import { correlationIdFrom, formatTraceparent, parseTraceparent } from "@gatehouse/observability";
import type { SpanContext } from "@opentelemetry/api";
import { newTraceContext } from "../../src/traceparent.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("correlationIdFrom", () => {
  test.each(["a", "A-Z_09.:-", "x".repeat(128)])("keeps %s", (header) => {
    expect(correlationIdFrom(header)).toBe(header);
  });

  test.each([undefined, "", "x".repeat(129), "a b", "a\nb", "a,b", "é", "a\0"])("replaces %j by a UUIDv7", (header) => {
    expect(correlationIdFrom(header)).toMatch(UUID_V7);
  });
});

describe("traceparent", () => {
  test("is parsed and formatted unchanged when it is valid", () => {
    const header = `00-${TRACE}-${SPAN}-00`;
    expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 0, isRemote: true });
    expect(formatTraceparent(parseTraceparent(header) as SpanContext)).toBe(header);
  });

  test("keeps trace and sampling in a new span", () => {
    const own = newTraceContext(parseTraceparent(`00-${TRACE}-${SPAN}-00`));
    expect(own).toEqual({ traceId: TRACE, spanId: expect.stringMatching(/^[0-9a-f]{16}$/), traceFlags: 0 });
    expect(own.spanId).not.toBe(SPAN);
  });

  test("of a later version is read without its unknown fields and flags", () => {
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
  ])("%j is invalid and begins a new trace", (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  test("of a new trace has new ids", () => {
    const [one, other] = [newTraceContext(undefined), newTraceContext(undefined)];
    expect(formatTraceparent(one)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(one.traceId).not.toBe(other.traceId);
  });
});
