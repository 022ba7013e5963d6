import type { RestartableServer } from "@gatehouse/local-stack";
import { createTestBus } from "@gatehouse/test-kit";
import { newId } from "@gatehouse/contracts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ROUTE_TABLE } from "../../src/routes/route-table.ts";
import { authAnswer, problemOf, startGateway, type TestGateway } from "../fixtures/gateway.ts";
import { rawRequest, rawUpload } from "../fixtures/raw-http.ts";
import { echo, json } from "../fixtures/upstream-server.ts";

let bus: RestartableServer;
let gateway: TestGateway;
beforeAll(async () => {
  bus = await createTestBus();
  gateway = await startGateway({ natsUrl: bus.url, environment: { RATE_LIMIT_ENABLED: "false" } });
});
beforeEach(() => {
  for (const { received } of Object.values(gateway.upstreams)) received.length = 0;
  gateway.auth.answer = authAnswer(gateway.signer);
  gateway.user.answer = echo;
});
afterAll(async () => {
  await gateway?.close();
  await bus?.stop();
});

const SOME_ID = newId();
const bearer = async (role = "user") => ({ authorization: `Bearer ${await gateway.signer.sign({ role })}` });

describe("the route table", () => {
  it.each(ROUTE_TABLE)("forwards $method $path to $service", async ({ method, path, service, access }) => {
    const url = path.replace(":id", SOME_ID);
    const headers = access === "public" ? {} : await bearer(access);
    const response = await fetch(gateway.url + url, { method, headers });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(
      url === "/.well-known/jwks.json" ? gateway.signer.jwks : { method, url, bytes: 0 },
    );
    expect(gateway.forwarded()).toEqual([`${method} ${url}`]);
    expect(gateway.upstreams[service]?.received.filter((each) => each.headers["x-forwarded-for"]).length).toBe(1);
  });

  it("answers HEAD where it answers GET", async () => {
    const response = await fetch(`${gateway.url}/v1/users/me`, { method: "HEAD", headers: await bearer() });
    expect(response.status).toBe(200);
    expect(gateway.forwarded()).toEqual(["HEAD /v1/users/me"]);
  });

  it.each([
    ["GET", "/"],
    ["GET", "/v1"],
    ["GET", "/v1/users"],
    ["GET", "/v1/users/me/"],
    ["GET", "/V1/users/me"],
    ["PUT", "/v1/users/me"],
    ["DELETE", `/v1/users/${SOME_ID}`],
    ["POST", "/v1/auth/register"],
    ["GET", "/v1/auth/login"],
    ["GET", "/internal/accounts"],
    ["POST", "/internal/introspect"],
    ["GET", "/health/ready/x"],
    ["OPTIONS", "/v1/users/me"],
    ["TRACE", "/v1/users/me"],
    ["PROPFIND", "/v1/users/me"],
  ])("lets nothing else pass: %s %s", async (method, url) => {
    const { status, body } = await rawRequest(gateway.port, { method, target: url, headers: await bearer("admin") });
    expect([status, problemOf(body).type]).toEqual([404, "ResourceNotFound"]);
    expect(gateway.forwarded()).toEqual([]);
  });

  it("returns 404 for an unknown path with any body", async () => {
    const response = await fetch(`${gateway.url}/nowhere`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{broken",
    });
    expect(response.status).toBe(404);
  });
});

describe("/internal", () => {
  it.each([
    "/internal/accounts",
    "//internal/accounts",
    "/internal//accounts",
    "/./internal/accounts",
    "/INTERNAL/accounts",
    "/%69nternal/accounts",
    "/internal%2faccounts",
    "/%2finternal/accounts",
    "/v1/users/../../internal/accounts",
    "/v1/users/..%2f..%2finternal%2faccounts",
    "/v1/users/%2e%2e/%2e%2e/internal/accounts",
    "/v1/users/%2E%2E%2F%2E%2E%2Finternal",
    "/v1/users/..",
    "/v1/users/.",
    "/v1/users/%2e",
    "/v1/users/%2e%2e",
    "/v1/users/..\\..\\internal\\accounts",
    "/v1/users/..%5c..%5cinternal",
    "/v1/users/%252e%252e%252finternal",
    "/v1/users/x%00/../../internal",
    "/v1/users/me/../../../internal/accounts",
    "/v1/users/me#/../internal",
    "/v1/users//internal",
    "/v1/users/;/internal",
    "/v1/auth/../../internal/introspect",
    "\\internal\\accounts",
    "http://auth/internal/accounts",
    "http://auth/v1/users/me",
    "internal/accounts",
    "/v1/users/%",
    "/v1/users/%zz",
    "/v1/users/%c0%ae%c0%ae/internal",
    "/v1/users/\uff0e\uff0e/internal",
  ])("is shut: %s", async (target) => {
    for (const method of ["GET", "POST", "DELETE"]) {
      const { status, body } = await rawRequest(gateway.port, { method, target, headers: await bearer("admin") });
      expect([400, 404], `${method} ${target} -> ${status}`).toContain(status);
      if (body !== "") expect(["BadRequest", "ResourceNotFound"]).toContain(problemOf(body).type);
    }
    expect(gateway.forwarded()).toEqual([]);
  });

  it("stays closed with headers that rewrite paths or methods", async () => {
    const headers = {
      ...(await bearer("admin")),
      "x-original-url": "/internal/accounts",
      "x-rewrite-url": "/internal/accounts",
      "x-http-method-override": "DELETE",
      "x-forwarded-prefix": "/internal",
    };
    await fetch(`${gateway.url}/v1/users/me`, { headers });
    const [seen] = gateway.user.received;
    expect(seen).toMatchObject({ method: "GET", url: "/v1/users/me" });
    for (const name of Object.keys(headers).slice(1)) expect(seen?.headers[name]).toBeUndefined();
  });
});

describe("a body", () => {
  it("arrives byte for byte, under its own content type", async () => {
    const bytes = Buffer.from([0, 255, 128, 13, 10, 123, 34, 240, 159, 146, 150, 34]);
    for (const type of ["application/json", "application/x-www-form-urlencoded; charset=latin1", "text/x-odd"]) {
      await fetch(`${gateway.url}/v1/users`, { method: "POST", headers: { "content-type": type }, body: bytes });
      const seen = gateway.user.received.pop();
      expect(seen?.body.equals(bytes)).toBe(true);
      expect(seen?.headers["content-type"]).toBe(type);
      expect(seen?.headers["content-length"]).toBe(String(bytes.length));
    }
  });

  it("without a content type arrives without one", async () => {
    await rawRequest(gateway.port, { method: "POST", target: "/v1/users", body: "abc" });
    expect(gateway.user.received[0]).toMatchObject({ body: Buffer.from("abc") });
    expect(gateway.user.received[0]?.headers["content-type"]).toBeUndefined();
  });

  it("in chunks arrives whole", async () => {
    const answer = await rawUpload(gateway.port, { target: "/v1/users", chunked: true, bytes: 10_000 });
    expect(answer.status).toBe(200);
    expect(gateway.user.received[0]?.body.length).toBe(10_000);
    expect(gateway.user.received[0]?.headers["transfer-encoding"]).toBeUndefined();
  });

  it("of exactly 16 KiB passes", async () => {
    const answer = await rawUpload(gateway.port, { target: "/v1/users", chunked: false, bytes: 16 * 1024 });
    expect(answer.status).toBe(200);
    expect(gateway.user.received[0]?.body.length).toBe(16 * 1024);
  });

  it.each([
    ["with its length announced", false],
    ["in chunks", true],
  ])("over 16 KiB is 413, which the client gets to read: %s", async (_how, chunked) => {
    const { status, body } = await rawUpload(gateway.port, { target: "/v1/users", chunked, bytes: 5 * 1024 * 1024 });
    expect([status, problemOf(body).type]).toEqual([413, "PayloadTooLarge"]);
    expect(gateway.forwarded()).toEqual([]);
  });

  it("without a token gets a 401 before it is read, and the client can read the response", async () => {
    const { status, body } = await rawUpload(gateway.port, {
      target: "/v1/auth/change-password",
      chunked: false,
      bytes: 5 * 1024 * 1024,
    });
    expect([status, problemOf(body).type]).toEqual([401, "AuthenticationError"]);
  });

  it("of a GET is not forwarded", async () => {
    const { authorization } = await bearer();
    const headers = { authorization, "content-type": "application/json" };
    const { status } = await rawRequest(gateway.port, { method: "GET", target: "/v1/users/me", headers, body: "{}" });
    expect(status).toBe(200);
    expect(gateway.user.received[0]?.body.length).toBe(0);
    expect(gateway.user.received[0]?.headers["content-length"]).toBeUndefined();
  });

  it("that is absent stays absent, also with a content type", async () => {
    const headers = { ...(await bearer()), "content-type": "application/json" };
    await fetch(`${gateway.url}/v1/auth/logout-all`, { method: "POST", headers });
    const [seen] = gateway.auth.received.filter(({ url }) => url === "/v1/auth/logout-all");
    expect(seen?.body.length).toBe(0);
    expect(seen?.headers["content-type"]).toBe("application/json");
  });
});

describe("the headers for a service", () => {
  it("have the client's address, host, trace and credentials", async () => {
    const { authorization } = await bearer();
    await fetch(`${gateway.url}/v1/users/me?x=1&y=%20`, {
      headers: {
        authorization,
        cookie: "refresh_token=abc; other=1",
        "x-correlation-id": "my-request:1",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "x-forwarded-for": "6.6.6.6",
        "x-forwarded-proto": "https",
        "x-real-ip": "6.6.6.6",
      },
    });
    expect(gateway.user.received[0]?.url).toBe("/v1/users/me?x=1&y=%20");
    expect(gateway.user.received[0]?.headers).toMatchObject({
      authorization,
      cookie: "refresh_token=abc; other=1",
      "x-correlation-id": "my-request:1",
      traceparent: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/),
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-proto": "http",
      "x-forwarded-host": `127.0.0.1:${gateway.port}`,
    });
    expect(gateway.user.received[0]?.headers["x-real-ip"]).toBeUndefined();
    expect(gateway.user.received[0]?.headers["traceparent"]).not.toContain("b7ad6b7169203331");
  });

  it("do not have hop-by-hop headers", async () => {
    const { status } = await rawRequest(gateway.port, {
      method: "POST",
      target: "/v1/users",
      body: "{}",
      headers: {
        connection: "close, x-secret-hop",
        "x-secret-hop": "1",
        "keep-alive": "timeout=9",
        te: "trailers",
        "proxy-authorization": "Basic x",
        upgrade: "websocket",
        expect: "100-continue",
      },
    });
    expect(status).toBe(200);
    for (const name of ["x-secret-hop", "keep-alive", "te", "proxy-authorization", "upgrade", "expect"])
      expect(gateway.user.received[0]?.headers[name], name).toBeUndefined();
  });
});

describe("a response", () => {
  it("has the service's cookies, status and body, and the gateway's correlation id", async () => {
    gateway.auth.answer = authAnswer(gateway.signer, (_request, response) => {
      response.writeHead(201, {
        "set-cookie": ["refresh_token=a; HttpOnly", "b=2"],
        "content-type": "application/json",
        "x-correlation-id": "theirs",
        server: "auth-internal",
        "x-powered-by": "node",
        connection: "close",
      });
      response.end('{"ok":true}');
    });
    const response = await fetch(`${gateway.url}/v1/auth/login`, {
      method: "POST",
      headers: { "x-correlation-id": "ours-1" },
    });
    expect(response.status).toBe(201);
    expect(response.headers.getSetCookie()).toEqual(["refresh_token=a; HttpOnly", "b=2"]);
    expect(response.headers.get("x-correlation-id")).toBe("ours-1");
    expect(response.headers.get("connection")).not.toBe("close");
    for (const name of ["server", "x-powered-by"]) expect(response.headers.get(name)).toBeNull();
    expect(await response.json()).toEqual({ ok: true });
  });

  it("is streamed", async () => {
    let finish: () => void = () => undefined;
    gateway.user.answer = (_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("first");
      finish = () => response.end("second");
    };
    const response = await fetch(`${gateway.url}/v1/users/me`, { headers: await bearer() });
    const reader = response.body!.getReader();
    expect(Buffer.from((await reader.read()).value).toString()).toBe("first");
    finish();
    expect(Buffer.from((await reader.read()).value).toString()).toBe("second");
  });

  it("with a problem of the service passes unchanged", async () => {
    const problem = { type: "EmailAlreadyExists", title: "t", status: 409, detail: "d", correlation_id: "c" };
    gateway.user.answer = (_request, response) => json(response, 409, problem, "application/problem+json");
    const response = await fetch(`${gateway.url}/v1/users`, { method: "POST" });
    expect(response.status).toBe(409);
    expect(response.headers.get("content-type")).toContain("application/problem+json");
    expect(await response.json()).toEqual(problem);
  });

  it("of 503 with Retry-After passes without a retry", async () => {
    gateway.user.answer = (_request, response) => {
      response.setHeader("retry-after", "7");
      json(response, 503, { type: "ServiceUnavailable" }, "application/problem+json");
    };
    const response = await fetch(`${gateway.url}/v1/users/me`, { headers: await bearer() });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "7"]);
    expect(gateway.user.received.length).toBe(1);
  });

  it("of 500 that is not a problem becomes BadGateway without its text and headers", async () => {
    gateway.user.answer = (_request, response) => {
      response.setHeader("x-debug", "secret");
      json(response, 500, { stack: "at /srv/secret.ts" });
    };
    const response = await fetch(`${gateway.url}/v1/users/me`, { headers: await bearer() });
    const text = await response.text();
    expect([response.status, problemOf(text).type]).toEqual([502, "BadGateway"]);
    expect(text).not.toContain("secret");
    expect(response.headers.get("x-debug")).toBeNull();
  });
});

describe("an aborted exchange", () => {
  it("is no complete response when the service closes the connection", async () => {
    gateway.user.answer = (_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("first", () => response.destroy());
    };
    const response = await fetch(`${gateway.url}/v1/users/me`, { headers: await bearer() });
    await expect(response.text()).rejects.toThrow();
  });

  it("affects no other request when the client disconnects", async () => {
    const asked = Promise.withResolvers<void>();
    gateway.user.answer = () => asked.resolve();
    const leaving = new AbortController();
    const aborted = fetch(`${gateway.url}/v1/users/me`, { headers: await bearer(), signal: leaving.signal });
    await asked.promise;
    leaving.abort();
    await expect(aborted).rejects.toThrow();
    gateway.user.answer = echo;
    expect((await fetch(`${gateway.url}/v1/users/me`, { headers: await bearer() })).status).toBe(200);
  });
});

describe("a service that is down", () => {
  it("causes 503 with Retry-After and no address, and the other service works", async () => {
    await gateway.user.stop();
    try {
      const response = await fetch(`${gateway.url}/v1/users`, { method: "POST", body: "{}" });
      const text = await response.text();
      expect([response.status, problemOf(text).type]).toEqual([503, "ServiceUnavailable"]);
      expect(response.headers.get("retry-after")).toBe("1");
      expect(text).not.toMatch(/127\.0\.0\.1|ECONN/);
      expect((await fetch(`${gateway.url}/v1/auth/login`, { method: "POST" })).status).toBe(200);
    } finally {
      await gateway.user.start();
    }
    expect((await fetch(`${gateway.url}/v1/users`, { method: "POST", body: "{}" })).status).toBe(200);
  });

  it("causes 502 when it closes the connection of a request that cannot be repeated", async () => {
    gateway.user.answer = (_request, response) => void response.socket?.destroy();
    const response = await fetch(`${gateway.url}/v1/users`, { method: "POST", body: "{}" });
    expect([response.status, problemOf(await response.text()).type]).toEqual([502, "BadGateway"]);
    expect(gateway.user.received.length).toBe(1);
  });
});
