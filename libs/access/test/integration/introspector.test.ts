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

test("what happens with questions of one moment: they go together, and each gets its own answer", async () => {
  const { introspector } = create();
  const tokens = Array.from({ length: 20 }, () => someClaims());
  const ended = new Set(tokens.filter((_claims, index) => index % 3 === 0).map(({ sid }) => sid));
  auth.judge = ({ sid }) => (ended.has(sid) ? ENDED : ACTIVE);
  const words = await Promise.all(tokens.map((claims) => introspector.ask(claims)));
  expect(words).toEqual(tokens.map(({ sid }) => (ended.has(sid) ? ENDED : ACTIVE)));
  expect(auth.batches).toHaveLength(1);
  const [first] = tokens;
  expect(auth.batches[0]?.[0]).toEqual({ sub: first?.sub, sid: first?.sid, token_version: 3, kid: first?.kid });
});

test("what happens to the traces of questions that go together: the first recorded one has the call, the others are linked", async () => {
  const recorded = recordTelemetry();
  const { introspector } = create();
  const span = { name: "GET /", kind: SpanKind.SERVER };
  const requests = [
    // A readiness check, which is never recorded.
    openContext({ correlationId: "a", traceparent: undefined }),
    ...["b", "c", "d"].map((correlationId) => openContext({ correlationId, traceparent: undefined, span })),
  ];
  await Promise.all(requests.map((request) => runInContext(request, () => introspector.ask(someClaims()))));
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

test("what happens with more questions than one request may have: they go in several", async () => {
  const { introspector } = create();
  const words = await Promise.all(Array.from({ length: 1_100 }, () => introspector.ask(someClaims())));
  expect(words).toEqual(Array.from({ length: 1_100 }, () => ACTIVE));
  expect(auth.batches.map((batch) => batch.length).toSorted((a, b) => b - a)).toEqual([
    INTROSPECTION_BATCH_MAX,
    INTROSPECTION_BATCH_MAX,
    100,
  ]);
});

test("what happens when the same is asked again: the answer serves for a second, for all tokens of that session", async () => {
  const { clock, introspector } = create();
  const claims = someClaims();
  await Promise.all([introspector.ask(claims), introspector.ask(claims)]);
  clock.time = 999;
  expect(await introspector.ask({ ...claims, jti: newId() })).toEqual(ACTIVE);
  expect(auth.batches.flat()).toHaveLength(1);
  auth.judge = () => ENDED;
  clock.time = 1_000;
  expect(await introspector.ask(claims)).toEqual(ENDED);
  expect(await introspector.ask({ ...claims, tokenVersion: 4 })).toEqual(ENDED);
  expect(auth.batches.flat()).toHaveLength(3);
});

test("what happens when auth is away: that is known at once, auth is left alone for a second, then asked again", async () => {
  const { clock, introspector } = create();
  await auth.stop();
  expect(await introspector.ask(someClaims())).toBe("unreachable");
  expect(await introspector.answers()).toBe(false);
  await auth.start();
  const claims = someClaims();
  expect(await introspector.ask(claims)).toBe("unreachable");
  expect(auth.batches).toEqual([]);
  clock.time = 1_000;
  expect(await introspector.ask(claims)).toEqual(ACTIVE);
  expect(await introspector.answers()).toBe(true);
});

test("what happens when auth takes the question and does not answer in time: it lives, and may commit what nobody hears of", async () => {
  const { introspector } = create();
  auth.instead = "silence";
  expect(await introspector.ask(someClaims())).toBe("faulty");
  expect(auth.asked).toHaveLength(1);
});

test("what happens when no connection to auth comes about: it counts as away", async () => {
  const crowded = await startCrowdedServer();
  onTestFinished(() => crowded.close());
  expect(await create({ urls: [crowded.url] }).introspector.ask(someClaims())).toBe("unreachable");
});

test("what happens when a proxy before auth says that it cannot work now: it counts as away", async () => {
  for (const status of [502, 503, 504]) {
    auth.instead = { status };
    expect(await create().introspector.ask(someClaims())).toBe("unreachable");
  }
});

test("what happens when auth lives, but does not say what was asked: that is not the same as being away", async () => {
  const faulty = [
    // Its database is away, say. It may have committed what it could not publish.
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
    expect(await create().introspector.ask(someClaims())).toBe("faulty");
  }
  auth.instead = undefined;
  expect(await create({ token: "a wrong one" }).introspector.ask(someClaims())).toBe("faulty");
});

test("what happens with two replicas: a living one answers for both, and one that lives and errs is not away", async () => {
  const urls = [auth.url, second.url];
  await auth.stop();
  expect(await create({ urls }).introspector.ask(someClaims())).toEqual(ACTIVE);
  second.instead = { status: 500 };
  expect(await create({ urls }).introspector.ask(someClaims())).toBe("faulty");
  await second.stop();
  expect(await create({ urls }).introspector.ask(someClaims())).toBe("unreachable");
});

test("what happens when auth was restarted between two questions: the second is answered as well", async () => {
  const { introspector } = create();
  expect(await introspector.ask(someClaims())).toEqual(ACTIVE);
  await auth.stop();
  await auth.start();
  expect(await introspector.ask(someClaims())).toEqual(ACTIVE);
});
