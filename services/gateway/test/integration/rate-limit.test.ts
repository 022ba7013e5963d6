import type { RestartableServer } from "@gatehouse/local-stack";
import { createTestBus, createTestRedis } from "@gatehouse/test-kit";
import { recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { newId } from "@gatehouse/contracts";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { problemOf, startGateway, type TestGateway } from "../fixtures/gateway.ts";

let bus: RestartableServer;
let redis: RestartableServer;
const gateways: TestGateway[] = [];
beforeAll(async () => {
  [bus, redis] = await Promise.all([createTestBus(), createTestRedis()]);
});
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});
afterAll(() => Promise.all([bus?.stop(), redis?.stop()]));

/** Without Redis each gateway counts alone, so every test starts at zero. */
async function start(environment: Record<string, string> = {}, host?: string): Promise<TestGateway> {
  const gateway = await startGateway({
    natsUrl: bus.url,
    environment: { TRUSTED_PROXIES: "127.0.0.1", ...environment },
    ...(host !== undefined && { host }),
  });
  gateways.push(gateway);
  return gateway;
}

interface Call {
  readonly method?: string;
  readonly token?: string;
  readonly from?: string;
  readonly form?: Record<string, string>;
  readonly headers?: Record<string, string>;
}

async function call(gateway: TestGateway, path: string, { method = "GET", token, from, form, headers }: Call = {}) {
  const response = await fetch(gateway.url + path, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(from !== undefined && { "x-forwarded-for": from }),
      ...headers,
    },
    ...(form && { body: new URLSearchParams(form) }),
  });
  const header = (name: string) => response.headers.get(name);
  return {
    status: response.status,
    text: await response.text(),
    limit: header("x-ratelimit-limit"),
    remaining: header("x-ratelimit-remaining"),
    reset: header("x-ratelimit-reset"),
    retryAfter: header("retry-after"),
  };
}

const login = (gateway: TestGateway, username: string, from: string) =>
  call(gateway, "/v1/auth/login", { method: "POST", from, form: { username, password: "x" } });

describe("RATE_LIMIT_DEFAULT", () => {
  it("counts by user id with a valid bearer, from any address", async () => {
    const gateway = await start({ RATE_LIMIT_DEFAULT: "2/minute" });
    const token = await gateway.signer.sign();
    const another = await gateway.signer.sign();
    expect(await call(gateway, "/v1/users/me", { token, from: "203.0.113.1" })).toMatchObject({
      status: 200,
      limit: "2",
      remaining: "1",
      reset: "60",
      retryAfter: null,
    });
    expect((await call(gateway, "/v1/users/me", { token, from: "203.0.113.2" })).remaining).toBe("0");
    const refused = await call(gateway, "/v1/users/me", { token, from: "203.0.113.3" });
    expect(refused).toMatchObject({ status: 429, limit: "2", remaining: "0" });
    expect(problemOf(refused.text).type).toBe("RateLimitExceeded");
    expect(Number(refused.retryAfter)).toBeGreaterThan(0);
    expect(refused.retryAfter).toBe(refused.reset);
    expect((await call(gateway, "/v1/users/me", { token: another, from: "203.0.113.1" })).status).toBe(200);
    expect(gateway.user.received.length).toBe(3);
  });

  it("counts by address without a valid bearer, 401s and 404s too", async () => {
    const gateway = await start({ RATE_LIMIT_DEFAULT: "3/minute" });
    const from = "203.0.113.1";
    expect(await call(gateway, "/v1/users/me", { from })).toMatchObject({ status: 401, remaining: "2" });
    expect(await call(gateway, "/v1/users/me", { from, token: "forged" })).toMatchObject({
      status: 401,
      remaining: "1",
    });
    expect(await call(gateway, "/nowhere", { from })).toMatchObject({ status: 404, remaining: "0" });
    expect((await call(gateway, "/v1/users/me", { from, token: "forged" })).status).toBe(429);
    expect((await call(gateway, "/elsewhere", { from })).status).toBe(429);
    expect((await call(gateway, "/nowhere", { from: "203.0.113.2" })).status).toBe(404);
  });

  it("counts an IPv6 /64 as one client", async () => {
    const gateway = await start({ RATE_LIMIT_DEFAULT: "1/minute" });
    expect((await call(gateway, "/nowhere", { from: "2001:db8:1:2::1" })).status).toBe(404);
    expect((await call(gateway, "/nowhere", { from: "2001:db8:1:2:ffff::9" })).status).toBe(429);
    expect((await call(gateway, "/nowhere", { from: "2001:db8:1:3::1" })).status).toBe(404);
  });

  it("ignores an address forwarded by an untrusted client", async () => {
    const gateway = await start({ RATE_LIMIT_DEFAULT: "1/minute", TRUSTED_PROXIES: "" });
    expect((await call(gateway, "/nowhere", { from: "203.0.113.1" })).status).toBe(404);
    expect((await call(gateway, "/nowhere", { from: "203.0.113.2" })).status).toBe(429);
  });

  it("does not count preflights, health and the key set", async () => {
    const gateway = await start({ RATE_LIMIT_DEFAULT: "1/minute", CORS_ORIGINS: "https://app.example.com" });
    for (let turn = 0; turn < 3; turn++) {
      for (const path of ["/health", "/health/ready", "/health/detailed", "/.well-known/jwks.json"])
        expect(await call(gateway, path), path).toMatchObject({ limit: null });
      const headers = { origin: "https://app.example.com", "access-control-request-method": "POST" };
      expect(await call(gateway, "/v1/users", { method: "OPTIONS", headers })).toMatchObject({
        status: 204,
        limit: null,
      });
    }
    expect((await call(gateway, "/nowhere")).status).toBe(404);
  });
});

describe("login", () => {
  it("is limited by address, with any bearer and email", async () => {
    const gateway = await start({ RATE_LIMIT_LOGIN: "1/minute" });
    expect(await login(gateway, "a@example.com", "203.0.113.1")).toMatchObject({
      status: 200,
      limit: "1",
      remaining: "0",
    });
    const second = { username: "b@example.com", password: "x" };
    const token = await gateway.signer.sign();
    const refused = await call(gateway, "/v1/auth/login", { method: "POST", from: "203.0.113.1", form: second, token });
    expect(refused.status).toBe(429);
    expect((await login(gateway, "a@example.com", "203.0.113.2")).status).toBe(200);
  });

  it("is limited to 10 a minute by email in any spelling, from any address", async () => {
    const gateway = await start({ RATE_LIMIT_LOGIN: "1000/second" });
    for (let turn = 1; turn <= 10; turn++) {
      const email = turn % 2 ? "Ada@Example.com " : "ada@example.com";
      const answer = await login(gateway, email, `203.0.113.${turn}`);
      expect(answer).toMatchObject({ status: 200, limit: "10", remaining: String(10 - turn) });
    }
    const refused = await login(gateway, "ADA@example.com", "203.0.113.99");
    expect(refused).toMatchObject({ status: 429, limit: "10", remaining: "0" });
    expect((await login(gateway, "bob@example.com", "203.0.113.99")).status).toBe(200);
  });
});

describe("registration", () => {
  it("is limited by address, with any bearer", async () => {
    const gateway = await start({ RATE_LIMIT_REGISTER: "2/minute" });
    const register = async () =>
      call(gateway, "/v1/users", { method: "POST", from: "203.0.113.1", token: await gateway.signer.sign() });
    expect(await register()).toMatchObject({ status: 200, limit: "2", remaining: "1" });
    expect((await register()).status).toBe(200);
    expect((await register()).status).toBe(429);
  });
});

describe("a password check", () => {
  it("is limited to 5 a minute by user, for change-password and account deletion together", async () => {
    const gateway = await start();
    const sub = newId();
    const token = await gateway.signer.sign({ sub });
    for (let turn = 1; turn <= 5; turn++) {
      const path = turn % 2 ? "/v1/auth/change-password" : "/v1/users/me";
      const method = turn % 2 ? "POST" : "DELETE";
      expect(await call(gateway, path, { method, token })).toMatchObject({ limit: "5", remaining: String(5 - turn) });
    }
    expect((await call(gateway, "/v1/auth/change-password", { method: "POST", token })).status).toBe(429);
    expect((await call(gateway, "/v1/users/me", { method: "DELETE", token })).status).toBe(429);
    expect(await call(gateway, "/v1/users/me", { token })).toMatchObject({ status: 200, limit: "120" });
    const another = await gateway.signer.sign();
    expect((await call(gateway, "/v1/users/me", { method: "DELETE", token: another })).status).toBe(200);
  });
});

describe("a rejected request", () => {
  it("is counted under the limit that it exceeded", async () => {
    const recorded = recordTelemetry();
    onTestFinished(() => recorded.stop());
    const gateway = await start({
      RATE_LIMIT_DEFAULT: "20/minute",
      RATE_LIMIT_LOGIN: "1/minute",
      RATE_LIMIT_REGISTER: "1/minute",
    });
    const token = await gateway.signer.sign();
    const post = (path: string, from: string) => call(gateway, path, { method: "POST", from, token });
    const refusals: Record<string, (turn: number) => Promise<{ status: number }>> = {
      default: () => call(gateway, "/nowhere", { from: "203.0.113.1" }),
      login: () => login(gateway, "a@example.com", "203.0.113.2"),
      login_email: (turn) => login(gateway, "b@example.com", `203.0.113.${100 + turn}`),
      register: () => post("/v1/users", "203.0.113.3"),
      password: () => post("/v1/auth/change-password", "203.0.113.4"),
    };
    for (const request of Object.values(refusals)) {
      let turn = 0;
      while ((await request(turn)).status !== 429) turn += 1;
    }
    const points = await recorded.points("gatehouse.rate_limit.rejections");
    const expected = Object.keys(refusals).map((limit) => ({ attributes: { limit }, value: 1 }));
    expect(points).toEqual(expect.arrayContaining(expected));
    expect(points).toHaveLength(expected.length);
  });
});

describe("RATE_LIMIT_ENABLED=false", () => {
  it("turns all limits off", async () => {
    const gateway = await start({ RATE_LIMIT_ENABLED: "false", RATE_LIMIT_DEFAULT: "1/minute" });
    for (let turn = 0; turn < 3; turn++)
      expect(await login(gateway, "a@example.com", "203.0.113.1")).toMatchObject({ status: 200, limit: null });
  });
});

describe("Redis", () => {
  it("makes several gateways count together, and stores no email", async () => {
    const environment = { REDIS_URL: redis.url, RATE_LIMIT_LOGIN: "2/minute" };
    const [first, second] = [await start(environment), await start(environment)];
    await Promise.all([first, second].map(redisIsHealthy));
    const statuses = [];
    for (const gateway of [first, second, first])
      statuses.push((await login(gateway, "ada@example.com", "203.0.113.1")).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it("can stop and start without a failed request", async () => {
    const gateway = await start({ REDIS_URL: redis.url, RATE_LIMIT_DEFAULT: "1000/minute" });
    await redisIsHealthy(gateway);
    const token = await gateway.signer.sign();
    const statuses = new Set<number>();
    let running = true;
    const traffic = (async () => {
      while (running) statuses.add((await call(gateway, "/v1/users/me", { token })).status);
    })();
    await redis.stop();
    await call(gateway, "/v1/users/me", { token });
    await redis.start();
    await redisIsHealthy(gateway);
    running = false;
    await traffic;
    expect([...statuses]).toEqual([200]);
  });
});

/** Waits until the gateway reports that Redis is up. */
async function redisIsHealthy(gateway: TestGateway): Promise<void> {
  for (;;) {
    const answer = await fetch(`${gateway.url}/health/detailed`);
    if (((await answer.json()) as { redis: string }).redis === "healthy") return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
