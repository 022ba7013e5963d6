import type { RestartableServer } from "@gatehouse/local-stack";
import { createTestBus, createTestRedis } from "@gatehouse/test-kit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { authAnswer, problemOf, startGateway, type TestGateway } from "../fixtures/gateway.ts";
import { type Answer, echo, json } from "../fixtures/upstream-server.ts";

let bus: RestartableServer;
let redis: RestartableServer;
let gateway: TestGateway;
beforeAll(async () => {
  [bus, redis] = await Promise.all([createTestBus(), createTestRedis()]);
  gateway = await startGateway({ natsUrl: bus.url, environment: { REDIS_URL: redis.url } });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([bus?.stop(), redis?.stop()]);
});

const READY = { status: "ready", checks: { database: "healthy", nats: "healthy" } };
const readiness =
  (body: object, status = 200): Answer =>
  (request, response) =>
    request.url === "/health/ready" ? json(response, status, body) : echo(request, response);

async function detailed() {
  const response = await fetch(`${gateway.url}/health/detailed`);
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

/** A result is cached for a second, so a change shows in a later one. */
async function detailedBecomes(expected: { status: number; body: Record<string, string> }): Promise<void> {
  await expect.poll(detailed, { timeout: 10_000, interval: 100 }).toMatchObject(expected);
}

describe("GET /health/detailed", () => {
  beforeEach(() => {
    gateway.auth.answer = authAnswer(gateway.signer, readiness(READY));
    gateway.user.answer = readiness(READY);
  });

  it("is healthy when everything is", async () => {
    await detailedBecomes({
      status: 200,
      body: {
        status: "healthy",
        database: "healthy",
        redis: "healthy",
        nats: "healthy",
        auth: "healthy",
        user: "healthy",
      },
    });
  });

  it("has the worse database status of auth and user, with 503", async () => {
    gateway.user.answer = readiness({ status: "ready", checks: { database: "unhealthy", nats: "healthy" } });
    await detailedBecomes({
      status: 503,
      body: { status: "unhealthy", database: "unhealthy", user: "healthy", auth: "healthy" },
    });
  });

  it("reports a service that is not ready or down as unhealthy", async () => {
    gateway.auth.answer = authAnswer(gateway.signer, readiness({ ...READY, status: "unready" }, 503));
    await detailedBecomes({ status: 503, body: { auth: "unhealthy", user: "healthy", database: "healthy" } });
    await gateway.user.stop();
    await detailedBecomes({ status: 503, body: { auth: "unhealthy", user: "unhealthy" } });
    await gateway.user.start();
  });

  it("is degraded with 200 without Redis, and healthy when Redis is up", async () => {
    await redis.stop();
    await detailedBecomes({ status: 200, body: { status: "degraded", redis: "degraded", nats: "healthy" } });
    await redis.start();
    await detailedBecomes({ status: 200, body: { status: "healthy", redis: "healthy" } });
  });

  it("is unhealthy without NATS", async () => {
    await bus.stop();
    await detailedBecomes({ status: 503, body: { status: "unhealthy", nats: "unhealthy" } });
    await bus.start();
    await detailedBecomes({ status: 200, body: { nats: "healthy" } });
  });

  it("asks the services once for concurrent requests", async () => {
    await detailed();
    gateway.user.received.length = 0;
    await Promise.all(Array.from({ length: 20 }, detailed));
    expect(gateway.user.received.filter(({ url }) => url === "/health/ready").length).toBeLessThanOrEqual(1);
  });
});

describe("the documentation", () => {
  const operation = (summary: string) => ({ summary, responses: { 200: { description: "ok" } } });
  const documentOf =
    (paths: object, schemas: object): Answer =>
    (request, response) =>
      request.url === "/openapi.json"
        ? json(response, 200, { openapi: "3.1.0", paths, components: { schemas, securitySchemes: { bearer: {} } } })
        : echo(request, response);

  beforeEach(() => {
    gateway.auth.answer = authAnswer(
      gateway.signer,
      documentOf(
        {
          "/v1/auth/login": { post: operation("log in") },
          "/v1/auth/sessions/{id}": { delete: operation("end a session"), get: operation("not forwarded") },
          "/internal/accounts": { post: operation("secret") },
        },
        { User: { type: "object" }, Session: { type: "object" } },
      ),
    );
    gateway.user.answer = documentOf(
      {
        "/v1/auth/me": { get: { ...operation("me"), responses: { 200: { $ref: "#/components/schemas/User" } } } },
        "/v1/auth/login": { post: operation("not user's") },
      },
      { User: { type: "object" }, AdminUser: { type: "object" } },
    );
  });

  it("has exactly the forwarded routes", async () => {
    const response = await fetch(`${gateway.url}/openapi.json`);
    expect(response.headers.get("content-type")).toContain("application/json");
    const document = (await response.json()) as {
      openapi: string;
      paths: Record<string, Record<string, { summary: string }>>;
      components: Record<string, object>;
    };
    expect(document.openapi).toMatch(/^3\.1/);
    expect(Object.keys(document.paths).toSorted()).toEqual([
      "/health",
      "/health/detailed",
      "/v1/auth/login",
      "/v1/auth/me",
      "/v1/auth/sessions/{id}",
    ]);
    expect(document.paths["/v1/auth/login"]?.["post"]?.summary).toBe("log in");
    expect(Object.keys(document.paths["/v1/auth/sessions/{id}"] ?? {})).toEqual(["delete"]);
    expect(Object.keys(document.components["schemas"] ?? {}).toSorted()).toEqual(["AdminUser", "Session", "User"]);
    expect(document.components["securitySchemes"]).toEqual({ bearer: {} });
  });

  it("has only references that resolve", async () => {
    const document: unknown = await (await fetch(`${gateway.url}/openapi.json`)).json();
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
    expect(references).toEqual(["#/components/schemas/User"]);
    expect(document).toHaveProperty("components.schemas.User");
    expect(document).toHaveProperty(
      ["paths", "/health", "get", "responses", "200", "content", "application/json", "schema"],
      {
        type: "object",
        properties: { status: { type: "string", const: "healthy" } },
        required: ["status"],
        additionalProperties: false,
      },
    );
  });

  it.each([
    ["/docs", ["text/css", "text/javascript", "text/javascript"]],
    ["/redoc", ["text/javascript"]],
  ])("has a page at %s whose scripts all come from here", async (path, assets) => {
    const response = await fetch(gateway.url + path);
    const html = await response.text();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self'");
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    const types = [];
    for (const [, url] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const asset = await fetch(gateway.url + url);
      expect(asset.status, url).toBe(200);
      expect((await asset.arrayBuffer()).byteLength).toBeGreaterThan(50);
      types.push(asset.headers.get("content-type")?.split(";")[0]);
    }
    expect(types).toEqual(assets);
  });

  it.each(["/docs/", "/docs/json", "/docs/../package.json", "/docs/swagger-ui.js", "/redoc/"])(
    "has nothing at %s",
    async (path) => expect((await fetch(gateway.url + path)).status).toBe(404),
  );

  it("is 503 while a service is down", async () => {
    const another = await startGateway({ natsUrl: bus.url });
    try {
      await another.user.stop();
      const response = await fetch(`${another.url}/openapi.json`);
      expect([response.status, problemOf(await response.text()).type]).toEqual([503, "ServiceUnavailable"]);
    } finally {
      await another.close();
    }
  });
});

describe("the documentation in production", () => {
  it("is not served", async () => {
    const production = await startGateway({
      natsUrl: bus.url,
      environment: { ENVIRONMENT: "production", ALLOWED_HOSTS: "127.0.0.1" },
    });
    try {
      for (const path of ["/docs", "/redoc", "/openapi.json", "/docs/init.js", "/redoc/redoc.standalone.js"])
        expect((await fetch(production.url + path)).status, path).toBe(404);
      expect((await fetch(`${production.url}/health`)).status).toBe(200);
    } finally {
      await production.close();
    }
  });
});
