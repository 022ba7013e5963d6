import { recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { INTROSPECTION_BATCH_MAX, type IntrospectionResult, newId } from "@gatehouse/contracts";
import type { AccessClaims } from "@gatehouse/access";
import { createLogger, openContext, runInContext } from "@gatehouse/observability";
import { createUpstream } from "@gatehouse/upstream";
import { SpanKind } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { createIntrospector } from "../../src/introspection/introspector.ts";
import { ACTIVE, type AuthServer, INTROSPECTION_TOKEN, startAuthServer } from "../fixtures/auth-server.ts";
import { startCrowdedServer } from "../fixtures/crowded-server.ts";

let auth: AuthServer;
let second: AuthServer;
beforeEach(async () => {
  auth = await startAuthServer();
  second = await startAuthServer();
});
afterEach(async () => {
  await auth.stop();
  await second.stop();
});

const ENDED: IntrospectionResult = { active: false, session_ended: true, least_token_version: 3 };

function create({ urls = [auth.url], token = INTROSPECTION_TOKEN }: { urls?: string[]; token?: string } = {}) {
  const clock = { time: 0 };
  const now = () => clock.time;
  const upstream = createUpstream({ urls, connectTimeoutMs: 500, now });
  onTestFinished(() => upstream.close());
  const introspector = createIntrospector({
    auth: upstream,
    token,
    logger: createLogger({ service: "test", level: "silent" }),
    now,
  });
  return { clock, introspector };
}

function someClaims(overrides: Partial<AccessClaims> = {}): AccessClaims {
  const ids = { sub: newId(), sid: newId(), jti: newId(), kid: newId() };
  return { ...ids, role: "user", tokenVersion: 3, iat: 0, exp: 900, clientId: "gatehouse", ...overrides };
}

test("concurrent tokens share a request, and each gets its own result", async () => {
  const { introspector } = create();
  const tokens = Array.from({ length: 20 }, () => someClaims());
  const ended = new Set(tokens.filter((_claims, index) => index % 3 === 0).map(({ sid }) => sid));
  auth.judge = ({ sid }) => (ended.has(sid) ? ENDED : ACTIVE);
  const words = await Promise.all(tokens.map((claims) => introspector.introspect(claims)));
  expect(words).toEqual(tokens.map(({ sid }) => (ended.has(sid) ? ENDED : ACTIVE)));
  expect(auth.batches).toHaveLength(1);
  const [first] = tokens;
  expect(auth.batches[0]?.[0]).toEqual({ sub: first?.sub, sid: first?.sid, token_version: 3, kid: first?.kid });
});

test("a shared request belongs to the first recorded trace and links to the others", async () => {
  const recorded = recordTelemetry();
  const { introspector } = create();
  const span = { name: "GET /", kind: SpanKind.SERVER };
  const requests = [
    // A readiness check is never recorded.
    openContext({ correlationId: "a", traceparent: undefined }),
    ...["b", "c", "d"].map((correlationId) => openContext({ correlationId, traceparent: undefined, span })),
  ];
  await Promise.all(requests.map((request) => runInContext(request, () => introspector.introspect(someClaims()))));
  const spans = recorded.spans();
  await recorded.stop();

  const [, first, ...others] = requests.map(({ trace }) => trace);
  expect(spans).toMatchObject([{ name: "POST /internal/introspect", kind: SpanKind.CLIENT, parentSpanContext: first }]);
  expect(spans[0]?.links.map(({ context }) => context)).toEqual(others);
  expect(auth.headers.at(-1)).toMatchObject({
    "x-correlation-id": "b",
    traceparent: expect.stringContaining(spans[0]?.spanContext().spanId ?? "no span"),
  });
});

test("more tokens than a request may have are split into several requests", async () => {
  const { introspector } = create();
  const words = await Promise.all(Array.from({ length: 1_100 }, () => introspector.introspect(someClaims())));
  expect(words).toEqual(Array.from({ length: 1_100 }, () => ACTIVE));
  expect(auth.batches.map((batch) => batch.length).toSorted((a, b) => b - a)).toEqual([
    INTROSPECTION_BATCH_MAX,
    INTROSPECTION_BATCH_MAX,
    100,
  ]);
});

test("a result is cached for a second, for all tokens of the session", async () => {
  const { clock, introspector } = create();
  const claims = someClaims();
  await Promise.all([introspector.introspect(claims), introspector.introspect(claims)]);
  clock.time = 999;
  expect(await introspector.introspect({ ...claims, jti: newId() })).toEqual(ACTIVE);
  expect(auth.batches.flat()).toHaveLength(1);
  auth.judge = () => ENDED;
  clock.time = 1_000;
  expect(await introspector.introspect(claims)).toEqual(ENDED);
  expect(await introspector.introspect({ ...claims, tokenVersion: 4 })).toEqual(ENDED);
  expect(auth.batches.flat()).toHaveLength(3);
});

test("an auth that is down is unreachable at once, and is asked again after a second", async () => {
  const { clock, introspector } = create();
  await auth.stop();
  expect(await introspector.introspect(someClaims())).toBe("unreachable");
  expect(await introspector.isAvailable()).toBe(false);
  await auth.start();
  const claims = someClaims();
  expect(await introspector.introspect(claims)).toBe("unreachable");
  expect(auth.batches).toEqual([]);
  clock.time = 1_000;
  expect(await introspector.introspect(claims)).toEqual(ACTIVE);
  expect(await introspector.isAvailable()).toBe(true);
});

test("an auth that accepts the request and does not answer in time is faulty", async () => {
  const { introspector } = create();
  auth.instead = "silence";
  expect(await introspector.introspect(someClaims())).toBe("faulty");
  expect(auth.asked).toHaveLength(1);
});

test("an auth that accepts no connection is unreachable", async () => {
  const crowded = await startCrowdedServer();
  onTestFinished(() => crowded.close());
  expect(await create({ urls: [crowded.url] }).introspector.introspect(someClaims())).toBe("unreachable");
});

test("502, 503 and 504 of a proxy mean that auth is unreachable", async () => {
  for (const status of [502, 503, 504]) {
    auth.instead = { status };
    expect(await create().introspector.introspect(someClaims())).toBe("unreachable");
  }
});

test("an auth that returns an unexpected response is faulty", async () => {
  const faulty = [
    // For example without its database: it may have committed what it could not publish.
    { status: 503, contentType: "application/problem+json; charset=utf-8" },
    { status: 500 },
    { status: 404 },
    { status: 302 },
    { status: 200, body: "hello" },
    { status: 200, body: { results: [] } },
    { status: 200, body: { results: [{ active: "yes" }] } },
  ];
  for (const instead of faulty) {
    auth.instead = instead;
    expect(await create().introspector.introspect(someClaims())).toBe("faulty");
  }
  auth.instead = undefined;
  expect(await create({ token: "a wrong one" }).introspector.introspect(someClaims())).toBe("faulty");
});

test("one running replica of two answers for both, and one faulty replica makes auth faulty", async () => {
  const urls = [auth.url, second.url];
  await auth.stop();
  expect(await create({ urls }).introspector.introspect(someClaims())).toEqual(ACTIVE);
  second.instead = { status: 500 };
  expect(await create({ urls }).introspector.introspect(someClaims())).toBe("faulty");
  await second.stop();
  expect(await create({ urls }).introspector.introspect(someClaims())).toBe("unreachable");
});

test("a request after a restart of auth is answered", async () => {
  const { introspector } = create();
  expect(await introspector.introspect(someClaims())).toEqual(ACTIVE);
  await auth.stop();
  await auth.start();
  expect(await introspector.introspect(someClaims())).toEqual(ACTIVE);
});
