import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { currentContext, outgoingHeaders, runInContext, runOutsideContext } from "@gatehouse/observability";

const context = (name: string) => ({
  correlationId: name,
  trace: { traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: 1 },
});

test("outside a context there are no headers", () => {
  expect(currentContext()).toBeUndefined();
  expect(outgoingHeaders()).toEqual({});
});

test("inside a context its headers are sent", () => {
  expect(runInContext(context("one"), outgoingHeaders)).toEqual({
    "x-correlation-id": "one",
    traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  });
});

test("concurrent contexts stay separate across awaits and timers", async () => {
  const seen = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      runInContext(context(String(index)), async () => {
        await delay(index % 3);
        await new Promise((resolve) => setImmediate(resolve));
        return currentContext()?.correlationId;
      }),
    ),
  );
  expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => String(index)));
});

test("runOutsideContext runs work and its timers outside, and the request continues inside", async () => {
  await runInContext(context("one"), async () => {
    const elsewhere = runOutsideContext(async () => {
      await delay(1);
      return currentContext();
    });
    expect(currentContext()?.correlationId).toBe("one");
    expect(await elsewhere).toBeUndefined();
  });
});
