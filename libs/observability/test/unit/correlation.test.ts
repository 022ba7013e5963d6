import { describe, expect, test } from "vitest";
import { correlationIdFrom, traceparentFrom } from "@gatehouse/observability";

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
  test("a valid one keeps its trace and its sampling, and gets a span of its own", () => {
    const [version, trace, span, flags] = traceparentFrom(`00-${TRACE}-${SPAN}-00`).split("-");
    expect([version, trace, flags]).toEqual(["00", TRACE, "00"]);
    expect(span).toMatch(/^[0-9a-f]{16}$/);
    expect(span).not.toBe(SPAN);
  });

  test("one of a later version is read as far as it is known", () => {
    expect(traceparentFrom(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)).toMatch(new RegExp(`^00-${TRACE}-`));
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
  ])("%j begins a new trace", (header) => {
    const traceparent = traceparentFrom(header);
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(traceparent).not.toContain(TRACE);
  });
});
