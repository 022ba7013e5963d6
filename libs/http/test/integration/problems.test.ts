import { describe, expect, test } from "vitest";
import { z } from "zod";
import { RegisterBody, UserIdParams } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import { NoContent } from "@gatehouse/http";
import { expectProblem } from "../fixtures/problem.ts";
import { createTestApp } from "../fixtures/test-app.ts";

const JSON_TYPE = { "content-type": "application/json" };
const VALID = { email: "a@b.cd", password: "Abcdefg1" };

function appWithRoutes() {
  const test = createTestApp({ translateError: (error) => (error === DATABASE_DOWN ? unavailable() : undefined) });
  const { app } = test;
  app.post("/users", { schema: { body: RegisterBody, response: { 204: NoContent } } }, (_request, reply) =>
    reply.code(204).send(),
  );
  app.post("/logout", { schema: { response: { 204: NoContent } } }, (_request, reply) => reply.code(204).send());
  app.get(
    "/users/:id",
    { schema: { params: UserIdParams, response: { 200: z.object({ id: z.string() }) } } },
    (request) => ({
      id: request.params.id,
    }),
  );
  app.get(
    "/search",
    { schema: { querystring: z.strictObject({ q: z.string().optional() }) } },
    (request) => request.query,
  );
  app.get("/bug", () => {
    throw new Error("SELECT secret FROM 10.0.0.7");
  });
  app.get("/async-bug", () => Promise.reject(new Error("SELECT secret FROM 10.0.0.7")));
  app.get("/throws-text", () => {
    // oxlint-disable-next-line typescript/only-throw-error -- a library may do this
    throw "SELECT secret FROM 10.0.0.7";
  });
  app.get("/conflict", () => {
    throw new AppError("LastAdmin", { cause: new Error("private") });
  });
  app.get("/limited", () => {
    throw new AppError("RateLimitExceeded", { retryAfter: 7.2 });
  });
  app.get("/unavailable", () => {
    throw DATABASE_DOWN;
  });
  app.get("/bad-answer", { schema: { response: { 200: z.object({ id: z.string() }) } } }, () => ({}) as { id: string });
  app.get(
    "/guarded",
    {
      onRequest: () => {
        throw new AppError("AuthenticationError");
      },
    },
    () => "never",
  );
  app.post(
    "/guarded",
    {
      schema: { body: RegisterBody, querystring: z.strictObject({}) },
      onRequest: () => {
        throw new AppError("PermissionDenied");
      },
    },
    () => "never",
  );
  return test;
}

const DATABASE_DOWN = new Error("connect ECONNREFUSED 10.0.0.7:5432");
const unavailable = () => new AppError("ServiceUnavailable", { cause: DATABASE_DOWN });

describe("unreadable bodies", () => {
  test.each([
    ["malformed JSON", '{"email":', JSON_TYPE, 400, "BadRequest"],
    ["two values", "{} {}", JSON_TYPE, 400, "BadRequest"],
    ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22]), JSON_TYPE, 400, "BadRequest"],
    ["a __proto__ key", '{"__proto__":{"is_admin":true}}', JSON_TYPE, 400, "BadRequest"],
    ["an escaped __proto__ key", '{"\\u005f_proto__":{"is_admin":true}}', JSON_TYPE, 400, "BadRequest"],
    ["a constructor.prototype key", '{"constructor":{"prototype":{}}}', JSON_TYPE, 400, "BadRequest"],
    ["another media type", "<a/>", { "content-type": "application/xml" }, 415, "UnsupportedMediaType"],
    ["text", "hello", { "content-type": "text/plain" }, 415, "UnsupportedMediaType"],
    [
      "a form, where none is taken",
      "a=b",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
      "UnsupportedMediaType",
    ],
    ["a malformed media type", "{}", { "content-type": "json" }, 415, "UnsupportedMediaType"],
    ["an empty media type", "{}", { "content-type": "" }, 415, "UnsupportedMediaType"],
  ])("rejects %s", async (_name, payload, headers, status, type) => {
    const { app } = appWithRoutes();
    expectProblem(await app.inject({ method: "POST", url: "/users", headers, payload }), status, type);
  });

  test("rejects a body without a media type", async () => {
    const { app } = appWithRoutes();
    const payload = Buffer.from(JSON.stringify(VALID));
    expectProblem(await app.inject({ method: "POST", url: "/users", payload }), 415, "UnsupportedMediaType");
  });

  test("rejects JSON nested thousands of levels deep at any position", async () => {
    const { app } = appWithRoutes();
    const deep = "[".repeat(8_000) + "]".repeat(8_000);
    const deepObject = '{"a":'.repeat(2_500) + "1" + "}".repeat(2_500);
    for (const payload of [
      deep,
      deepObject,
      `{"email":${deep.slice(4_000, -4_000)},"password":"x"}`,
      `{"unknown":${deepObject}}`,
    ]) {
      const answer = await app.inject({ method: "POST", url: "/users", headers: JSON_TYPE, payload });
      expectProblem(answer, 422, "ValidationError");
    }
    const withPoison = `{"__proto__":${deepObject}}`;
    const answer = await app.inject({ method: "POST", url: "/users", headers: JSON_TYPE, payload: withPoison });
    expectProblem(answer, 400, "BadRequest");
  });
});

describe("invalid bodies", () => {
  test.each([
    ["a number", 5, "body"],
    ["an array", [], "body"],
    ["null", null, "body"],
    ["an unknown field", { ...VALID, role: "admin" }, "body.role"],
    ["NUL", { ...VALID, full_name: "a\0b" }, "body.full_name"],
    ["a lone surrogate", { ...VALID, email: "a\ud800@b.cd" }, "body.email"],
    ["a lone surrogate in a field's name", { ...VALID, "\ud800": 1 }, "body.\ud800"],
  ])("rejects %s", async (_name, payload, path) => {
    const { app } = appWithRoutes();
    const answer = await app.inject({
      method: "POST",
      url: "/users",
      headers: JSON_TYPE,
      payload: JSON.stringify(payload),
    });
    const problem = expectProblem(answer, 422, "ValidationError");
    expect(problem.errors?.map((error) => error.path)).toEqual([path]);
  });

  test("rejects a missing body with or without a media type", async () => {
    const { app } = appWithRoutes();
    for (const headers of [JSON_TYPE, {}]) {
      const problem = expectProblem(
        await app.inject({ method: "POST", url: "/users", headers }),
        422,
        "ValidationError",
      );
      expect(problem.errors).toEqual([{ path: "body", message: "is required" }]);
    }
  });
});

test("empty bodies › count as no body whatever the media type", async () => {
  const { app } = appWithRoutes();
  expect((await app.inject({ method: "POST", url: "/logout", headers: JSON_TYPE })).statusCode).toBe(204);
});

describe("queries and paths", () => {
  test.each([
    ["/search?q=a&q=b", 422, "ValidationError"],
    ["/search?other=1", 422, "ValidationError"],
    ["/search?__proto__=1", 422, "ValidationError"],
    ["/users/42", 422, "ValidationError"],
    [`/users/${"x".repeat(5_000)}`, 422, "ValidationError"],
    ["/users/%zz", 400, "BadRequest"],
    ["/users/%c0%af", 400, "BadRequest"],
    ["/nowhere", 404, "ResourceNotFound"],
    ["/users/", 422, "ValidationError"],
    ["/search/", 404, "ResourceNotFound"],
    ["//search", 404, "ResourceNotFound"],
    ["/SEARCH", 404, "ResourceNotFound"],
  ])("%s is %i %s", async (url, status, type) => {
    const { app } = appWithRoutes();
    expectProblem(await app.inject(url), status, type);
  });

  test("accepts a query that cannot be decoded", async () => {
    const { app } = appWithRoutes();
    expect((await app.inject("/search?q=%zz")).statusCode).toBe(200);
  });
});

describe("methods without a route", () => {
  test.each(["DELETE", "PUT", "OPTIONS", "TRACE", "PROPFIND", "QUERY"] as const)("%s is 404", async (method) => {
    const { app } = appWithRoutes();
    expectProblem(await app.inject({ method: method as "PUT", url: "/users" }), 404, "ResourceNotFound");
  });

  test("HEAD of a POST route is 404", async () => {
    const { app } = appWithRoutes();
    const answer = await app.inject({ method: "HEAD", url: "/users" });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([404, "application/problem+json"]);
  });

  test("an unreadable body does not change the 404", async () => {
    const { app } = appWithRoutes();
    for (const headers of [JSON_TYPE, { "content-type": "x/y" }]) {
      const answer = await app.inject({ method: "POST", url: "/nowhere", headers, payload: "{" });
      expectProblem(answer, 404, "ResourceNotFound");
    }
  });

  test("HEAD of a GET route is 200", async () => {
    const { app } = appWithRoutes();
    const answer = await app.inject({ method: "HEAD", url: "/search?q=a" });
    expect([answer.statusCode, answer.body]).toEqual([200, ""]);
  });
});

test("guards › reject before body and query are read", async () => {
  const { app } = appWithRoutes();
  for (const payload of ["{", '{"unknown":1}', "x".repeat(2 * 1024 * 1024)]) {
    const answer = await app.inject({ method: "POST", url: "/guarded?bad=1", headers: JSON_TYPE, payload });
    expectProblem(answer, 403, "PermissionDenied");
  }
});

describe("errors thrown by a route", () => {
  test("an AppError is answered without its cause", async () => {
    const { app } = appWithRoutes();
    const answer = await app.inject("/conflict");
    expectProblem(answer, 409, "LastAdmin");
    expect(answer.body).not.toContain("private");
  });

  test("a 401 has WWW-Authenticate; 429 and 503 have Retry-After", async () => {
    const { app } = appWithRoutes();
    expect((await app.inject("/guarded")).headers["www-authenticate"]).toBe("Bearer");
    expect((await app.inject("/limited")).headers["retry-after"]).toBe("8");
    const response = await app.inject("/unavailable");
    expectProblem(response, 503, "ServiceUnavailable");
    expect(response.headers["retry-after"]).toBe("1");
    expect(response.body).not.toContain("10.0.0.7");
  });

  test.each(["/bug", "/async-bug", "/throws-text"])("an unknown error is 500 without detail: %s", async (url) => {
    const { app } = appWithRoutes();
    const answer = await app.inject(url);
    expectProblem(answer, 500, "InternalError");
    expect(answer.body).not.toMatch(/SELECT|10\.0\.0\.7|at /);
  });

  test("an unknown error is logged with its stack", async () => {
    const { app, records } = appWithRoutes();
    await app.inject("/bug");
    expect(records.find((record) => record["level"] === "error")).toMatchObject({
      correlation_id: expect.any(String),
      err: { message: "SELECT secret FROM 10.0.0.7", stack: expect.stringContaining("problems.test") },
    });
  });

  test("an answer that does not match its schema is a logged 500", async () => {
    const { app, records } = appWithRoutes();
    const answer = await app.inject("/bad-answer");
    expectProblem(answer, 500, "InternalError");
    expect(answer.body).not.toContain('"id"');
    expect(records.some((record) => record["level"] === "error")).toBe(true);
  });
});
