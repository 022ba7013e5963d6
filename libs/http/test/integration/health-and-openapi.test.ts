import { describe, expect, test } from "vitest";
import { z } from "zod";
import { RegisterBody, User, UserIdParams } from "@gatehouse/contracts";
import { BEARER_SECURITY, COOKIE_SECURITY, NoContent } from "@gatehouse/http";
import { createTestApp } from "../fixtures/test-app.ts";

describe("health checks", () => {
  test("GET /health is healthy whatever the dependencies report", async () => {
    const { app } = createTestApp({ readiness: () => ({ status: "unready", checks: { database: "unhealthy" } }) });
    const answer = await app.inject("/health");
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: "healthy" }]);
  });

  test.each(["ready", "unready"] as const)("GET /health/ready returns the service's readiness: %s", async (status) => {
    const readiness = { status, checks: { keys: "healthy" as const } };
    const { app } = createTestApp({ readiness: () => Promise.resolve(readiness) });
    const answer = await app.inject("/health/ready");
    expect([answer.statusCode, answer.json()]).toEqual([status === "ready" ? 200 : 503, readiness]);
  });

  test("a draining process is healthy, unready, and answers with connection: close", async () => {
    const { app } = createTestApp();
    expect((await app.inject("/health/ready")).headers["connection"]).toBe("keep-alive");
    app.setDraining();
    const answer = await app.inject("/health/ready");
    expect([answer.statusCode, answer.json()]).toEqual([503, { status: "unready", checks: {} }]);
    expect((await app.inject("/health")).statusCode).toBe(200);
    expect((await app.inject("/nowhere")).headers["connection"]).toBe("close");
  });
});

interface Document {
  openapi: string;
  info: unknown;
  paths: Record<
    string,
    Record<string, { security?: unknown; requestBody?: unknown; responses: Record<string, unknown> }>
  >;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown>; responses: unknown };
}

async function documentOf(): Promise<Document> {
  const { app } = createTestApp({ openapi: { title: "Test", description: "A test", version: "1.2.3" } });
  app.post(
    "/v1/users",
    { schema: { tags: ["users"], summary: "Register", body: RegisterBody, response: { 201: User } } },
    async (_request, reply) => reply.code(201).send({} as User),
  );
  // Routes of plugins count like the app's own.
  app.register((child, _options, done) => {
    child.get(
      "/v1/users/:id",
      { schema: { security: BEARER_SECURITY, params: UserIdParams, response: { 200: User } } },
      () => ({}),
    );
    child.post(
      "/v1/auth/refresh",
      { schema: { security: COOKIE_SECURITY, response: { 204: NoContent } } },
      () => undefined,
    );
    child.post(
      "/internal/accounts",
      { schema: { response: { 200: z.object({ id: z.string() }).meta({ id: "Internal" }) } } },
      () => ({}),
    );
    done();
  });
  return (await app.inject("/openapi.json")).json<Document>();
}

describe("GET /openapi.json", () => {
  test("lists every public route and no internal one", async () => {
    const document = await documentOf();
    expect(document.openapi).toBe("3.1.0");
    expect(document.info).toEqual({ title: "Test", description: "A test", version: "1.2.3" });
    expect(Object.keys(document.paths).toSorted()).toEqual(["/v1/auth/refresh", "/v1/users", "/v1/users/{id}"]);
    expect(Object.keys(document.components.schemas).toSorted()).toEqual(["Problem", "User"]);
  });

  test("refers to components and has a problem response for every route", async () => {
    const { paths } = await documentOf();
    expect(paths["/v1/users"]?.["post"]?.responses).toMatchObject({
      201: { content: { "application/json": { schema: { $ref: "#/components/schemas/User" } } } },
      default: { $ref: "#/components/responses/Problem" },
    });
    expect(paths["/v1/auth/refresh"]?.["post"]?.responses["204"]).toEqual({ description: "Done; no body" });
  });

  test("declares the security of each route", async () => {
    const { paths, components } = await documentOf();
    expect(paths["/v1/users"]?.["post"]?.security).toBeUndefined();
    expect(paths["/v1/users/{id}"]?.["get"]?.security).toEqual([{ bearer: [] }]);
    expect(paths["/v1/auth/refresh"]?.["post"]?.security).toEqual([{ refresh_cookie: [] }]);
    expect(Object.keys(components.securitySchemes)).toEqual(["bearer", "refresh_cookie"]);
  });

  test("is 404 when the app has no OpenAPI options", async () => {
    for (const options of [{}, { openapi: false as const }]) {
      const { app } = createTestApp(options);
      expect((await app.inject("/openapi.json")).statusCode).toBe(404);
    }
  });
});
