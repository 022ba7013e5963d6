import { type RecordedTelemetry, recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { createHttpCalls, openContext, runInContext } from "@gatehouse/observability";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "vitest";

const CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const received = { correlationId: "order-66", traceparent: CALLER, span: { name: "GET /", kind: SpanKind.SERVER } };
const request = { url: "http://auth.internal:8001", method: "POST", template: "/internal/accounts/:id" };
const described = {
  "http.request.method": "POST",
  "url.template": "/internal/accounts/:id",
  "server.address": "auth.internal",
  "server.port": 8001,
};

let recorded: RecordedTelemetry | undefined;
afterEach(async () => {
  await recorded?.stop();
  recorded = undefined;
});

const refused = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:8001"), { code: "ECONNREFUSED" });

describe("createHttpCalls", () => {
  test.each([
    ["an answer", async () => ({ statusCode: 200 }), { "http.response.status_code": 200 }],
    ["a refusal", async () => ({ statusCode: 409 }), { "http.response.status_code": 409, "error.type": "409" }],
    ["a failure", async () => ({ statusCode: 503 }), { "http.response.status_code": 503, "error.type": "503" }],
    ["no connection", () => Promise.reject(refused), { "error.type": "ECONNREFUSED" }],
    ["no answer in time", () => Promise.reject(new DOMException("", "TimeoutError")), { "error.type": "TimeoutError" }],
  ])("records a span and a duration with equal attributes: %s", async (_what, send, outcome) => {
    recorded = recordTelemetry();
    const calls = createHttpCalls();
    const context = openContext(received);
    await runInContext(context, () => calls.during(request, send)).catch(() => undefined);
    const [span] = recorded.spans();
    expect(span).toMatchObject({ name: "POST /internal/accounts/:id", kind: SpanKind.CLIENT });
    expect(span?.parentSpanContext).toMatchObject(context.trace);
    expect(span?.attributes).toEqual({ ...described, ...outcome });
    expect(span?.status).toEqual({ code: "error.type" in outcome ? SpanStatusCode.ERROR : SpanStatusCode.UNSET });
    const points = await recorded.points("http.client.request.duration");
    expect(points).toMatchObject([{ attributes: { ...described, ...outcome }, value: { count: 1 } }]);
  });

  test("counts retries in the span only", async () => {
    recorded = recordTelemetry();
    const calls = createHttpCalls();
    await runInContext(openContext(received), async () => {
      calls.start(request).failed(refused);
      calls.start({ ...request, resends: 1 }).answered(200);
    });
    const counts = recorded.spans().map(({ attributes }) => attributes["http.request.resend_count"]);
    expect(counts).toEqual([undefined, 1]);
    const points = await recorded.points("http.client.request.duration");
    expect(points.flatMap(({ attributes }) => Object.keys(attributes))).not.toContain("http.request.resend_count");
  });

  test.each([
    ["https://auth.example.com", { "server.address": "auth.example.com", "server.port": 443 }],
    ["http://auth", { "server.address": "auth", "server.port": 80 }],
    ["http://[::1]:8001/", { "server.address": "::1", "server.port": 8001 }],
  ])("records the server of %s", async (url, server) => {
    recorded = recordTelemetry();
    const calls = createHttpCalls();
    calls.start({ ...request, url }).answered(200);
    expect(await recorded.points("http.client.request.duration")).toMatchObject([{ attributes: server }]);
  });
});

describe("headers of a request to another service", () => {
  test("contain its own span, so that the server continues the trace", async () => {
    recorded = recordTelemetry();
    const calls = createHttpCalls();
    const { headers } = runInContext(openContext(received), () => {
      const call = calls.start(request);
      call.answered(200);
      return call;
    });
    const own = recorded.spans()[0]?.spanContext();
    expect(headers).toEqual({ "x-correlation-id": "order-66", traceparent: `00-${own?.traceId}-${own?.spanId}-01` });
  });

  test("contain the cause's context when nothing is recorded, and are empty outside a request", async () => {
    recorded = recordTelemetry({ sampled: false });
    const calls = createHttpCalls();
    const context = openContext(received);
    const { headers } = runInContext(context, () => calls.start(request));
    expect(headers["traceparent"]).toBe(`00-${context.trace.traceId}-${context.trace.spanId}-00`);
    expect(calls.start(request).headers).toEqual({});
  });
});
