import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { AppError } from "@gatehouse/errors";
import { currentContext, outgoingHeaders } from "@gatehouse/observability";
import { createTestApp, listening } from "../fixtures/test-app.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TRACE = "0af7651916cd43dd8448eb211c80319c";

describe("X-Correlation-ID", () => {
  test.each(["/hello", "/bug", "/nowhere", "/%zz", "/health", "/health/ready"])(
    "returns the client's id for %s",
    async (url) => {
      const { app } = createTestApp();
      app.get("/hello", () => "hello");
      app.get("/bug", () => Promise.reject(new Error("bug")));
      const answer = await app.inject({ url, headers: { "x-correlation-id": "order:66" } });
      expect(answer.headers["x-correlation-id"]).toBe("order:66");
    },
  );

  test("replaces a malformed id", async () => {
    const { app } = createTestApp();
    const answer = await app.inject({ url: "/health", headers: { "x-correlation-id": "a b" } });
    expect(answer.headers["x-correlation-id"]).toMatch(UUID_V7);
  });
});

test("request context › carries correlation id and trace to every call the request makes", async () => {
  const { app } = createTestApp();
  app.get("/", () => outgoingHeaders());
  const headers = { "x-correlation-id": "order:66", traceparent: `00-${TRACE}-b7ad6b7169203331-00` };
  expect((await app.inject({ url: "/", headers })).json()).toEqual({
    "x-correlation-id": "order:66",
    traceparent: expect.stringMatching(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`)),
  });
});

test("request context › stays separate for concurrent requests that share a connection", async () => {
  const { app, records } = createTestApp();
  // Like a pooled connection: one shared object resolves the work of all requests from its own context.
  const shared = new EventEmitter().setMaxListeners(0);
  const seen = () => currentContext()?.correlationId;
  app.addHook("preHandler", async (request) => {
    await once(shared, "tick");
    expect(seen()).toBe(request.id);
  });
  app.addHook("onSend", (_request, reply, payload, done) => {
    reply.header("x-seen-on-send", seen());
    done(null, payload);
  });
  app.post("/", { schema: { body: z.object({ n: z.number() }) } }, async (request) => {
    const before = seen();
    await delay(request.body.n % 5);
    await once(shared, "tick");
    request.log.info("working");
    return { before, after: seen() };
  });
  const port = await listening(app);
  const ticking = setInterval(() => shared.emit("tick"), 1);
  const ids = Array.from({ length: 60 }, (_, n) => `request-${n}`);
  try {
    await Promise.all(
      ids.map(async (id, n) => {
        const response = await fetch(`http://127.0.0.1:${port}/`, {
          method: "POST",
          headers: { "x-correlation-id": id, "content-type": "application/json" },
          body: JSON.stringify({ n }),
        });
        expect(await response.json()).toEqual({ before: id, after: id });
        expect(response.headers.get("x-seen-on-send")).toBe(id);
      }),
    );
  } finally {
    clearInterval(ticking);
  }
  for (const message of ["working", "request"]) {
    await expect.poll(() => records.filter((record) => record["msg"] === message).length).toBe(ids.length);
    const logged = records.filter((record) => record["msg"] === message).map((record) => record["correlation_id"]);
    expect(new Set(logged)).toEqual(new Set(ids));
  }
});

describe("request log", () => {
  test("has one line a request with method, route, status, duration and ids, and nothing the client sent", async () => {
    const { app, records } = createTestApp();
    app.post("/users/:id", { schema: { body: z.object({ password: z.string() }) } }, () => ({ done: true }));
    await app.inject({
      method: "POST",
      url: "/users/0197f7a0-0000-7000-8000-000000000000?token=s3cret",
      headers: { authorization: "Bearer s3cret", cookie: "refresh_token=s3cret", "x-correlation-id": "order:66" },
      payload: { password: "s3cret" },
    });
    expect(records).toEqual([
      {
        level: "info",
        time: expect.any(String),
        service: "gatehouse-test",
        pid: process.pid,
        correlation_id: "order:66",
        trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
        method: "POST",
        route: "/users/:id",
        status: 200,
        duration_ms: expect.any(Number),
        msg: "request",
      },
    ]);
    expect(JSON.stringify(records)).not.toContain("s3cret");
    expect(JSON.stringify(records)).not.toContain("0197f7a0");
  });

  test("names the problem's type, also for input that never reached a route", async () => {
    const { app, records } = createTestApp();
    await app.inject({ url: "/nowhere?token=s3cret", headers: { "x-correlation-id": "one" } });
    await app.inject({ url: "/%zz?token=s3cret", headers: { "x-correlation-id": "two" } });
    expect(records).toMatchObject([
      { level: "info", route: "none", status: 404, problem: "ResourceNotFound", correlation_id: "one" },
      { level: "info", route: "none", status: 400, problem: "BadRequest", correlation_id: "two" },
    ]);
    expect(JSON.stringify(records)).not.toContain("s3cret");
  });

  test("logs a failed request in one line: a warning with the cause, an error for a bug", async () => {
    const { app, records } = createTestApp();
    app.get("/unavailable", () => Promise.reject(new AppError("ServiceUnavailable", { cause: new Error("refused") })));
    app.get("/bug", () => Promise.reject(new TypeError("no function")));
    app.get("/health/detailed", (_request, reply) => void reply.code(503).send({ status: "unhealthy" }));
    for (const url of ["/unavailable", "/bug", "/health/detailed"]) await app.inject(url);
    expect(records).toMatchObject([
      {
        level: "warn",
        msg: "request",
        status: 503,
        err: { message: expect.any(String), cause: { message: "refused" } },
      },
      { level: "error", msg: "request", status: 500, problem: "InternalError", err: { message: "no function" } },
      { level: "debug", msg: "request", status: 503 },
    ]);
  });

  /** Returns the log of a request that throws `error` after its client disconnected. */
  async function linesOfOneThatLeft(error: Error) {
    const { app, records } = createTestApp();
    const [arrived, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    app.get("/slow", async (_request, reply) => {
      reply.raw.once("close", left.resolve);
      arrived.resolve();
      await left.promise;
      throw error;
    });
    app.addHook("onError", (_request, _reply, _error, done) => {
      setImmediate(thrown.resolve);
      done();
    });
    const thrown = Promise.withResolvers<void>();
    const port = await listening(app);
    const client = new AbortController();
    const answer = fetch(`http://127.0.0.1:${port}/slow`, {
      signal: client.signal,
      headers: { "x-correlation-id": "one" },
    });
    await arrived.promise;
    client.abort();
    await expect(answer).rejects.toThrow();
    await thrown.promise;
    return records.filter(({ correlation_id }) => correlation_id === "one");
  }

  test("logs a failure after the client disconnected as an error with the request's ids", async () => {
    expect(await linesOfOneThatLeft(new TypeError("no function"))).toMatchObject([
      { level: "info", msg: "request", aborted: true },
      { level: "error", msg: "request failed after the client disconnected", err: { message: "no function" } },
    ]);
  });

  test("logs no error for work aborted after the client disconnected", async () => {
    expect(await linesOfOneThatLeft(new DOMException("given up", "AbortError"))).toMatchObject([
      { level: "info", msg: "request", aborted: true },
    ]);
  });

  test("logs health checks at debug only", async () => {
    const { app, records } = createTestApp();
    await app.inject("/health");
    await app.inject("/health/ready");
    expect(records.map((record) => record["level"])).toEqual(["debug", "debug"]);
  });
});
