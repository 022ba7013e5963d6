import { recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { openContext, runInContext } from "@gatehouse/observability";
import { SpanKind } from "@opentelemetry/api";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createUpstream, type Upstream, type UpstreamResponse } from "@gatehouse/upstream";
import { forward, getJson } from "../../src/services/forwarding/forward.ts";
import { json, startUpstream, type UpstreamServer } from "../fixtures/upstream-server.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).toReversed()) await each.close();
});

async function server(): Promise<UpstreamServer> {
  const upstream = await startUpstream();
  open.push({ close: () => upstream.stop() });
  return upstream;
}

function upstreamOf(...urls: string[]): Upstream {
  const upstream = createUpstream({ urls });
  open.push(upstream);
  return upstream;
}

async function send(upstream: Upstream, method = "GET", body?: string) {
  const response = await new Promise<UpstreamResponse>((resolve, reject) =>
    forward(upstream, "/:thing", { path: "/x", method, ...(body !== undefined && { body }) }, (error, data) =>
      data && !error ? resolve(data) : reject(error ?? new Error("no response")),
    ),
  );
  return { status: response.statusCode, body: (await response.body.json()) as Record<string, unknown> };
}

describe("several replicas", () => {
  it("take turns", async () => {
    const [a, b] = [await server(), await server()];
    const upstream = upstreamOf(a.url, b.url);
    for (let i = 0; i < 6; i++) await send(upstream);
    expect([a.received.length, b.received.length]).toEqual([3, 3]);
  });

  it.each(["GET", "POST", "PATCH", "DELETE"])("serve a %s while one refuses connections", async (method) => {
    const [a, b] = [await server(), await server()];
    await a.stop();
    const upstream = upstreamOf(a.url, b.url);
    for (let i = 0; i < 4; i++) expect((await send(upstream, method)).status).toBe(200);
    expect(b.received.length).toBe(4);
  });

  it("are unavailable when all refuse connections", async () => {
    const [a, b] = [await server(), await server()];
    await a.stop();
    await b.stop();
    await expect(send(upstreamOf(a.url, b.url), "POST")).rejects.toMatchObject({
      code: "ServiceUnavailable",
      retryAfter: 1,
    });
  });

  it("use a replica again that was down", async () => {
    const [a, b] = [await server(), await server()];
    await a.stop();
    let now = 0;
    const upstream = createUpstream({ urls: [a.url, b.url], now: () => now });
    open.push(upstream);
    await send(upstream);
    await a.start();
    now = 2_000;
    await send(upstream);
    await send(upstream);
    expect(a.received.length).toBe(1);
  });
});

describe("a replica that is stopping", () => {
  it("gets no requests for a while", async () => {
    const [a, b] = [await server(), await server()];
    a.answer = (_request, response) => {
      response.setHeader("connection", "close");
      json(response, 200, {});
    };
    let now = 0;
    const upstream = createUpstream({ urls: [a.url, b.url], now: () => now });
    open.push(upstream);
    for (let i = 0; i < 6; i++) await send(upstream, "POST");
    expect([a.received.length, b.received.length]).toEqual([1, 5]);
    now = 5_001;
    await send(upstream, "POST");
    await send(upstream, "POST");
    expect(a.received.length).toBe(2);
  });
});

describe("a replica that closes the connection after the request", () => {
  const breakOff = (upstream: UpstreamServer) => {
    upstream.answer = (_request, response) => void response.socket?.destroy();
  };

  it.each(["GET", "HEAD"])("causes a %s to be sent to the next one", async (method) => {
    const [a, b] = [await server(), await server()];
    breakOff(a);
    const upstream = upstreamOf(a.url, b.url);
    await new Promise<void>((resolve, reject) =>
      forward(upstream, "/:thing", { path: "/x", method }, (error, data) => {
        if (error || !data) return reject(error ?? new Error("no response"));
        expect(data.statusCode).toBe(200);
        data.body.dump().then(() => resolve(), reject);
      }),
    );
    expect([a.received.length, b.received.length]).toEqual([1, 1]);
  });

  it.each(["POST", "PATCH", "DELETE"])("causes BadGateway for a %s, which is sent once", async (method) => {
    const [a, b] = [await server(), await server()];
    breakOff(a);
    const upstream = upstreamOf(a.url, b.url);
    await expect(send(upstream, method, "{}")).rejects.toMatchObject({ code: "BadGateway" });
    expect([a.received.length, b.received.length]).toEqual([1, 0]);
  });

  it("gets a GET again when it is the only one", async () => {
    const only = await server();
    let calls = 0;
    only.answer = (_request, response) =>
      ++calls === 1 ? void response.socket?.destroy() : json(response, 200, { ok: true });
    expect((await send(upstreamOf(only.url))).body).toEqual({ ok: true });
  });
});

describe("a response", () => {
  it("with a problem of the service passes unchanged", async () => {
    const only = await server();
    only.answer = (_request, response) =>
      json(response, 503, { type: "ServiceUnavailable" }, "application/problem+json; charset=utf-8");
    expect(await send(upstreamOf(only.url))).toEqual({ status: 503, body: { type: "ServiceUnavailable" } });
    expect(only.received.length).toBe(1);
  });

  it("with a 5xx that is not a problem is a BadGateway without a retry", async () => {
    const only = await server();
    only.answer = (_request, response) => json(response, 503, { stack: "at secret.js:1" });
    await expect(send(upstreamOf(only.url))).rejects.toMatchObject({ code: "BadGateway" });
    expect(only.received.length).toBe(1);
  });

  it("that is not HTTP is a BadGateway", async () => {
    const raw = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end("SSH-2.0-OpenSSH\r\n\r\n"));
    });
    raw.listen(0, "127.0.0.1");
    await once(raw, "listening");
    open.push({ close: async () => void raw.close() });
    const upstream = upstreamOf(`http://127.0.0.1:${(raw.address() as AddressInfo).port}`);
    await expect(send(upstream, "POST")).rejects.toMatchObject({ code: "BadGateway" });
  });
});

describe("the trace of a request", () => {
  it("has a span for each attempt, which each replica gets as its parent", async () => {
    const recorded = recordTelemetry();
    const [a, b] = [await server(), await server()];
    a.answer = (_request, response) => void response.socket?.destroy();
    const upstream = upstreamOf(a.url, b.url);
    const context = openContext({
      correlationId: "corr-1",
      traceparent: undefined,
      span: { name: "GET", kind: SpanKind.SERVER },
    });
    await runInContext(context, () => send(upstream));
    const spans = recorded.spans();
    await recorded.stop();

    expect(spans.map(({ name, kind, attributes }) => [name, kind, attributes])).toMatchObject([
      ["GET /:thing", SpanKind.CLIENT, { "server.port": a.port, "error.type": "UND_ERR_SOCKET" }],
      ["GET /:thing", SpanKind.CLIENT, { "server.port": b.port, "http.request.resend_count": 1 }],
    ]);
    for (const span of spans) expect(span.parentSpanContext).toMatchObject(context.trace);
    const places = spans.map((span) => span.spanContext()).map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`);
    expect([...a.received, ...b.received].map(({ headers }) => headers["traceparent"])).toEqual(places);
  });

  it("has none for a probe", async () => {
    const recorded = recordTelemetry();
    const only = await server();
    const upstream = upstreamOf(only.url);
    await upstream.probe("/health/ready", 1_000);
    expect(await recorded.points("http.client.request.duration")).toEqual([]);
    await send(upstream);
    expect(await recorded.points("http.client.request.duration")).toHaveLength(1);
    await recorded.stop();
    expect(only.received[0]?.headers["traceparent"]).toBeUndefined();
  });
});

describe("a JSON document", () => {
  it("comes from the next replica that is up", async () => {
    const [a, b] = [await server(), await server()];
    await a.stop();
    expect(await getJson(upstreamOf(a.url, b.url), "/doc")).toEqual({ method: "GET", url: "/doc", bytes: 0 });
  });

  it("that is missing is a BadGateway", async () => {
    const only = await server();
    only.answer = (_request, response) => json(response, 404, {});
    await expect(getJson(upstreamOf(only.url), "/doc")).rejects.toMatchObject({ code: "BadGateway" });
  });
});

describe("a probe", () => {
  it("returns any status of each replica, and undefined after a timeout", async () => {
    const [a, b, c, d] = [await server(), await server(), await server(), await server()];
    a.answer = (_request, response) => json(response, 503, { status: "unready" });
    await b.stop();
    c.answer = () => undefined;
    const answers = await upstreamOf(a.url, b.url, c.url, d.url).probe("/health/ready", 200);
    expect(answers).toEqual([
      { status: 503, body: { status: "unready" } },
      undefined,
      undefined,
      { status: 200, body: { method: "GET", url: "/health/ready", bytes: 0 } },
    ]);
  });
});
