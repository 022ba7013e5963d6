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

describe("what happens to a request while spans are recorded", () => {
  test("its span is a child of the caller's, and what it does a child of that", async () => {
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

  test("what runs in a span has it as the current one, and hands it on", async () => {
    recorded = recordTelemetry();
    const seen = await runInContext(openContext(received), () => inSpan(query, async () => currentContext()));
    expect(seen).toMatchObject({ correlationId: "order-66", trace: recorded.spans()[0]?.spanContext() });
  });

  test("what throws is marked with the kind of its error and none of its words", async () => {
    recorded = recordTelemetry();
    const failure = Object.assign(new Error("alice@example.com exists"), { code: "23505" });
    const failing = runInContext(openContext(received), () => inSpan(query, () => Promise.reject(failure)));
    await expect(failing).rejects.toBe(failure);
    const [span] = recorded.spans();
    expect(span).toMatchObject({ status: { code: SpanStatusCode.ERROR }, attributes: { "error.type": "23505" } });
    expect(JSON.stringify([span?.attributes, span?.status, span?.events])).not.toContain("alice");
  });

  test("one that is never traced has no span, and nothing within it has", async () => {
    recorded = recordTelemetry();
    const { span: _none, ...untraced } = received;
    const context = openContext(untraced);
    await runInContext(context, () => inSpan(query, async () => undefined));
    expect(recorded.spans()).toEqual([]);
    expect(context.trace).toMatchObject({ traceId: TRACE, traceFlags: 0 });
  });
});

describe("what happens to a request that nobody records", () => {
  test("because there is no SDK: it stays in its caller's trace, at a place of its own", async () => {
    const context = openContext(received);
    expect(context).toMatchObject({ correlationId: "order-66", trace: { traceId: TRACE, traceFlags: 1 } });
    expect(context.trace.spanId).not.toBe(CALLER);
    expect(context.span).toBeUndefined();
    expect(await runInContext(context, () => inSpan(query, async (span) => span))).toBeUndefined();
  });

  test("because the sampler left it out: it says so to whoever it calls", () => {
    recorded = recordTelemetry({ sampled: false });
    const context = openContext(received);
    expect(context.trace).toMatchObject({ traceId: TRACE, traceFlags: 0 });
    expect(context.span).toBeUndefined();
  });

  test("because it came from nowhere: work outside a context is no trace of its own", async () => {
    recorded = recordTelemetry();
    await inSpan(query, async () => undefined);
    expect(recorded.spans()).toEqual([]);
  });
});
