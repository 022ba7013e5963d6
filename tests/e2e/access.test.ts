import { newId } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { call, type Person, problemOf, register } from "@gatehouse/test-kit/api";
import { isElsewhere, openSystem, type System } from "./support/system.ts";

let system: System;
let base: string;
let user: Person;
beforeAll(async () => {
  system = await openSystem();
  base = system.url;
  user = await register(base);
});
afterAll(() => system.stop());

const id = newId();
const bearerRoutes = [
  ["POST", "/v1/auth/logout-all"],
  ["GET", "/v1/auth/me"],
  ["POST", "/v1/auth/change-password"],
  ["GET", "/v1/auth/sessions"],
  ["DELETE", `/v1/auth/sessions/${id}`],
  ["GET", "/v1/users/me"],
  ["PATCH", "/v1/users/me"],
  ["DELETE", "/v1/users/me"],
  ["GET", `/v1/users/${id}`],
] as const;
const adminRoutes = [
  ["GET", "/v1/admin/users"],
  ["POST", "/v1/admin/users"],
  ["GET", `/v1/admin/users/${id}`],
  ["PATCH", `/v1/admin/users/${id}`],
  ["DELETE", `/v1/admin/users/${id}`],
  ["POST", `/v1/admin/users/${id}/restore`],
] as const;

describe.each([...bearerRoutes, ...adminRoutes])("%s %s", (method, path) => {
  it("is 401 without a bearer and with a malformed one, before the body is read", async () => {
    const broken = { headers: { "content-type": "application/json" } };
    const [none, forged] = [await call(base, method, path, broken), await call(base, method, path, { token: "x.y.z" })];
    expect(problemOf(none)).toEqual([401, "AuthenticationError"]);
    expect(problemOf(forged)).toEqual([401, "TokenError"]);
    expect(none.headers.get("www-authenticate")).toBe("Bearer");
  });

  it.skipIf(isElsewhere)("answers the same at the service itself", async () => {
    const owner = path.startsWith("/v1/auth") && path !== "/v1/auth/me" ? "auth" : "user";
    expect(problemOf(await call(system.services?.[owner].url ?? "", method, path))).toEqual([
      401,
      "AuthenticationError",
    ]);
  });
});

describe.each(adminRoutes)("%s %s", (method, path) => {
  it("is 403 for a user without the admin role", async () => {
    expect(problemOf(await call(base, method, path, { token: user.token }))).toEqual([403, "PermissionDenied"]);
  });
});

describe("unknown and internal paths", () => {
  it.each([
    ["GET", "/"],
    ["GET", "/nothing"],
    ["PUT", "/v1/users/me"],
    ["GET", "/v1/users"],
    ["GET", "/v1/auth/login"],
    ["PURGE", "/v1/users/me"],
    ["POST", "/internal/accounts"],
    ["POST", "/internal/introspect"],
    ["GET", "/v1/auth/../../internal/accounts"],
    ["POST", "/v1/auth/%2e%2e/%2e%2e/internal/introspect"],
    ["POST", "/v1/auth/..%2f..%2finternal/introspect"],
    ["POST", "//internal/accounts"],
    ["POST", "/v1//internal/accounts"],
    ["POST", "/INTERNAL/accounts"],
    ["POST", "/internal%2faccounts"],
    ["POST", "/v1/users/me/"],
    ["GET", "/health/ready/"],
  ])("are 404 for %s %s, even with the services' token", async (method, path) => {
    const answer = await call(base, method, path, { token: system.internalToken });
    expect(problemOf(answer)).toEqual([404, "ResourceNotFound"]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("x-correlation-id")).toBe(answer.body["correlation_id"]);
  });
});

describe("X-Correlation-ID", () => {
  const correlation = `test:${newId()}`;

  it("is kept when well formed", async () => {
    const headers = { "x-correlation-id": correlation };
    const answer = await call(base, "GET", "/v1/auth/sessions", { token: user.token, headers });
    expect(answer.headers.get("x-correlation-id")).toBe(correlation);
  });

  it.skipIf(isElsewhere)("is in the logs of every service that handled the request", async () => {
    for (const service of [system.services?.gateways[0], system.services?.auth])
      await vi.waitFor(() => expect(service?.logs().some((line) => line.includes(correlation))).toBe(true));
  });

  it("is replaced when malformed", async () => {
    const answer = await call(base, "GET", "/health", { headers: { "x-correlation-id": "with blank" } });
    expect(answer.headers.get("x-correlation-id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});
