import type { RestartableServer } from "@gatehouse/local-stack";
import { createTestBus } from "@gatehouse/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ROUTE_TABLE } from "../../src/routes/route-table.ts";
import { problemOf, startGateway, type TestGateway } from "../fixtures/gateway.ts";
import { rawRequest } from "../fixtures/raw-http.ts";

const LISTED = "https://app.example.com";

let bus: RestartableServer;
let gateway: TestGateway;
beforeAll(async () => {
  bus = await createTestBus();
  gateway = await startGateway({
    natsUrl: bus.url,
    environment: {
      RATE_LIMIT_ENABLED: "false",
      CORS_ORIGINS: `${LISTED},https://other.example.com`,
      ALLOWED_HOSTS: "127.0.0.1,*.gate.example.com",
    },
  });
});
beforeEach(() => {
  for (const { received } of Object.values(gateway.upstreams)) received.length = 0;
});
afterAll(async () => {
  await gateway?.close();
  await bus?.stop();
});

async function call(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const response = await fetch(gateway.url + path, { method, headers, ...(body !== undefined && { body }) });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("a route that needs a token", () => {
  const guarded = ROUTE_TABLE.filter(({ access }) => access !== "public");

  it.each(guarded)("is 401 AuthenticationError without one: $method $path", async ({ method, path }) => {
    const { status, headers, text } = await call(method, path);
    expect([status, problemOf(text).type]).toEqual([401, "AuthenticationError"]);
    expect(headers.get("www-authenticate")).toBe("Bearer");
    expect(gateway.forwarded()).toEqual([]);
  });

  it.each(["Basic dXNlcjpwYXNz", "Token abc", "Bearer"])(
    "is 401 AuthenticationError with %s",
    async (authorization) => {
      const { status, text } = await call("GET", "/v1/users/me", { authorization });
      expect([status, problemOf(text).type]).toEqual([401, "AuthenticationError"]);
    },
  );

  it("returns 401 TokenError for a malformed, expired or forged token", async () => {
    const expired = await gateway.signer.sign({ expiresIn: -1 });
    const good = await gateway.signer.sign();
    const forged = `${good.slice(0, -6)}AAAAAA`;
    for (const token of ["x", "a.b.c", expired, forged]) {
      const { status, text } = await call("GET", "/v1/users/me", { authorization: `Bearer ${token}` });
      expect([status, problemOf(text).type]).toEqual([401, "TokenError"]);
    }
    expect(gateway.forwarded()).toEqual([]);
  });

  it("is rejected before body and query are validated", async () => {
    const body = "{broken".repeat(1000);
    const { status } = await call("PATCH", "/v1/users/me?x=%zz", { "content-type": "application/json" }, body);
    expect(status).toBe(401);
  });

  it.each(ROUTE_TABLE.filter(({ access }) => access === "admin"))(
    "is 403 for a user where an admin is asked for: $method $path",
    async ({ method, path }) => {
      const authorization = `Bearer ${await gateway.signer.sign({ role: "user" })}`;
      const { status, text } = await call(method, path, { authorization }, method === "POST" ? "{broken" : undefined);
      expect([status, problemOf(text).type]).toEqual([403, "PermissionDenied"]);
      expect(gateway.forwarded()).toEqual([]);
    },
  );

  it("gives an unknown role no rights", async () => {
    const authorization = `Bearer ${await gateway.signer.sign({ role: "superadmin" })}`;
    expect((await call("GET", "/v1/admin/users", { authorization })).status).not.toBe(200);
    expect(gateway.forwarded()).toEqual([]);
  });
});

describe("a public route", () => {
  it.each(["/v1/auth/login", "/v1/auth/refresh", "/v1/auth/logout", "/v1/users"])(
    "ignores a bearer that does not verify: %s",
    async (path) => {
      const authorization = `Bearer ${await gateway.signer.sign({ expiresIn: -10 })}`;
      expect((await call("POST", path, { authorization })).status).toBe(200);
    },
  );
});

describe("login, refresh and logout", () => {
  const paths = ["/v1/auth/login", "/v1/auth/refresh", "/v1/auth/logout"];

  it.each(paths)("reject a foreign Origin: %s", async (path) => {
    for (const origin of ["https://evil.example.com", "null", `https://127.0.0.1:${gateway.port}`, "nonsense"]) {
      const { status, text } = await call("POST", path, { origin });
      expect([status, problemOf(text).type], origin).toEqual([403, "PermissionDenied"]);
    }
    expect(gateway.forwarded()).toEqual([]);
  });

  it.each(paths)("accept a listed Origin, the gateway's own, and none: %s", async (path) => {
    for (const origin of [LISTED, gateway.url]) expect((await call("POST", path, { origin })).status, origin).toBe(200);
    expect((await call("POST", path)).status).toBe(200);
  });

  it("ignore a scheme forwarded by an untrusted client", async () => {
    const headers = { origin: `https://127.0.0.1:${gateway.port}`, "x-forwarded-proto": "https" };
    expect((await call("POST", "/v1/auth/login", headers)).status).toBe(403);
  });

  it("are the only routes that check Origin", async () => {
    expect((await call("POST", "/v1/users", { origin: "https://evil.example.com" })).status).toBe(200);
  });
});

describe("behind a trusted proxy", () => {
  let trusting: TestGateway;
  beforeAll(async () => {
    trusting = await startGateway({
      natsUrl: bus.url,
      environment: { RATE_LIMIT_ENABLED: "false", TRUSTED_PROXIES: "127.0.0.0/8, 10.0.0.0/8" },
    });
  });
  afterAll(() => trusting.close());

  it("the own origin is that of the proxy", async () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "api.example.com" };
    const login = (origin: string) =>
      fetch(`${trusting.url}/v1/auth/login`, { method: "POST", headers: { ...headers, origin } });
    expect((await login("https://api.example.com")).status).toBe(200);
    expect((await login("http://api.example.com")).status).toBe(403);
    expect(trusting.auth.received.at(-1)?.headers).toMatchObject({
      "x-forwarded-proto": "https",
      "x-forwarded-host": "api.example.com",
    });
  });

  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["6.6.6.6, 203.0.113.7", "203.0.113.7"],
    ["6.6.6.6, 203.0.113.7, 10.1.1.1", "203.0.113.7"],
    ["2001:db8::1, 10.1.1.1", "2001:db8::1"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["unknown", "127.0.0.1"],
    ["203.0.113.7:4711", "127.0.0.1"],
  ])("the client is the nearest address that no trusted proxy has: %s", async (header, address) => {
    await fetch(`${trusting.url}/v1/auth/login`, { method: "POST", headers: { "x-forwarded-for": header } });
    expect(trusting.auth.received.at(-1)?.headers["x-forwarded-for"]).toBe(address);
  });
});

describe("CORS", () => {
  const preflight = (origin: string, path = "/v1/users/me", asked = "PATCH") =>
    call("OPTIONS", path, {
      origin,
      "access-control-request-method": asked,
      "access-control-request-headers": "authorization,content-type",
    });

  it("answers the preflight of a listed origin", async () => {
    const { status, headers } = await preflight(LISTED);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe(LISTED);
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    expect(headers.get("access-control-allow-methods")).toContain("PATCH");
    expect(headers.get("access-control-allow-methods")).toContain("DELETE");
    expect(headers.get("access-control-allow-headers")?.toLowerCase()).toMatch(/authorization.*content-type/);
    expect(headers.get("x-correlation-id")).toBeTruthy();
  });

  it("sends no header to another origin", async () => {
    for (const origin of ["https://evil.example.com", "https://app.example.com.evil.com", "null"]) {
      const { status, headers } = await preflight(origin);
      expect(status).toBe(404);
      expect([...headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });

  it("exposes responses and headers to a listed origin, errors too", async () => {
    for (const path of ["/v1/users/me", "/nowhere", "/health"]) {
      const { headers } = await call("GET", path, { origin: LISTED });
      expect(headers.get("access-control-allow-origin"), path).toBe(LISTED);
      expect(headers.get("access-control-allow-credentials")).toBe("true");
      const exposed = headers.get("access-control-expose-headers")?.toLowerCase();
      for (const name of ["x-correlation-id", "x-ratelimit-limit", "x-ratelimit-remaining", "retry-after"])
        expect(exposed).toContain(name);
      expect(headers.get("vary")?.toLowerCase()).toContain("origin");
    }
  });

  it("rejects an OPTIONS that is not a preflight", async () => {
    expect((await call("OPTIONS", "/v1/users/me", { origin: LISTED })).status).toBe(404);
  });
});

describe("the Host header", () => {
  const withHost = (host: string, target = "/v1/users/me") =>
    rawRequest(gateway.port, { method: "GET", target, headers: { host } });

  it("must be an allowed host", async () => {
    for (const host of ["evil.com", "gate.example.com", "", "127.0.0.1.evil.com"]) {
      const { status, body } = await withHost(host);
      expect([status, problemOf(body).type], host).toEqual([400, "BadRequest"]);
    }
    for (const host of ["127.0.0.1", "127.0.0.1:9", "A.gate.example.com:443"])
      expect((await withHost(host)).status, host).toBe(401);
  });

  it("may be any host on health routes", async () => {
    expect((await withHost("10.0.0.1:8000", "/health")).status).toBe(200);
    expect((await withHost("10.0.0.1:8000", "/health/ready")).status).not.toBe(400);
  });
});

describe("every response", () => {
  it.each(["/health", "/v1/users/me", "/nowhere", "/.well-known/jwks.json"])(
    "has a correlation id and security headers: %s",
    async (path) => {
      const { headers } = await call("GET", path, { "x-correlation-id": "abc.DEF:1_2-3" });
      expect(headers.get("x-correlation-id")).toBe("abc.DEF:1_2-3");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("strict-transport-security")).toContain("max-age");
      expect(headers.get("cache-control")).toContain("no-store");
      expect(headers.get("server")).toBeNull();
    },
  );

  it("has a new correlation id when the client's is invalid", async () => {
    const { headers, text } = await call("GET", "/nowhere", { "x-correlation-id": "has blanks" });
    expect(headers.get("x-correlation-id")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(problemOf(text).correlation_id).toBe(headers.get("x-correlation-id"));
  });
});
