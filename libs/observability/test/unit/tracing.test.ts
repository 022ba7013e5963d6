import { type RecordedTelemetry, recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { currentContext, inSpan, openContext, runInContext } from "@gatehouse/observability";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "vitest";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const received = {
  correlationId: "order-66",
  traceparent: `00-${TRACE}-${CALLER}-01`,
  span: { name: "GET /things", kind: SpanKind.SERVER },
};
const query = { name: "SELECT things", kind: SpanKind.CLIENT };

let recorded: RecordedTelemetry | undefined;
afterEach(async () => {
  await recorded?.stop();
  recorded = undefined;
});

describe("a recorded request", () => {
  test("has a span under the caller's, and child spans under its own", async () => {
    recorded = recordTelemetry();
    const context = openContext(received);
    await runInContext(context, () => inSpan(query, async () => undefined));
    context.span?.end();
    const [child, own] = recorded.spans();
    expect(own).toMatchObject({ name: "GET /things", kind: SpanKind.SERVER });
    expect(own?.spanContext()).toEqual(context.trace);
    expect(own?.parentSpanContext).toMatchObject({ traceId: TRACE, spanId: CALLER, isRemote: true });
    expect(child?.parentSpanContext).toMatchObject(context.trace);
    expect(child?.status.code).toBe(SpanStatusCode.UNSET);
  });

  test("passes the current span to its work", async () => {
    recorded = recordTelemetry();
    const seen = await runInContext(openContext(received), () => inSpan(query, async () => currentContext()));
    expect(seen).toMatchObject({ correlationId: "order-66", trace: recorded.spans()[0]?.spanContext() });
  });

  test("marks failed work with the error's type, without its message", async () => {
    recorded = recordTelemetry();
    const failure = Object.assign(new Error("alice@example.com exists"), { code: "23505" });
    const failing = runInContext(openContext(received), () => inSpan(query, () => Promise.reject(failure)));
    await expect(failing).rejects.toBe(failure);
    const [span] = recorded.spans();
    expect(span).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { "error.type": "23505" } });
    expect(JSON.stringify([span?.attributes, span?.status, span?.events])).not.toContain("alice");
  });

  test("has no spans when it is never traced", async () => {
    recorded = recordTelemetry();
    const { span: _none, ...untraced } = received;
    const context = openContext(untraced);
    await runInContext(context, () => inSpan(query, async () => undefined));
    expect(recorded.spans()).toEqual([]);
    expect(context.trace).toMatchObject({ traceId: TRACE, traceFlags: 0 });
  });
});

describe("an unrecorded request", () => {
  test("stays in its caller's trace with its own span id without an SDK", async () => {
    const context = openContext(received);
    expect(context).toMatchObject({ correlationId: "order-66", trace: { traceId: TRACE, traceFlags: 1 } });
    expect(context.trace.spanId).not.toBe(CALLER);
    expect(context.span).toBeUndefined();
    expect(await runInContext(context, () => inSpan(query, async (span) => span))).toBeUndefined();
  });

  test("passes on that it is not sampled", () => {
    recorded = recordTelemetry({ sampled: false });
    const context = openContext(received);
    expect(context.trace).toMatchObject({ traceId: TRACE, traceFlags: 0 });
    expect(context.span).toBeUndefined();
  });

  test("begins no trace outside a context", async () => {
    recorded = recordTelemetry();
    await inSpan(query, async () => undefined);
    expect(recorded.spans()).toEqual([]);
  });
});
