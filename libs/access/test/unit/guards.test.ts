import {
  type AccessClaims,
  clientAddress,
  currentUser,
  optionalUser,
  requireRole,
  requireUser,
  serviceTokenGuard,
} from "@gatehouse/access";
import { newId, type Role } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import { createApp } from "@gatehouse/http";
import { createLogger } from "@gatehouse/observability";
import { describe, expect, test } from "vitest";

function someUser(role: Role): AccessClaims {
  const ids = { sub: newId(), sid: newId(), jti: newId(), kid: newId() };
  return { ...ids, role, tokenVersion: 0, iat: 0, exp: 900, clientId: "gatehouse" };
}

const USERS: Record<string, AccessClaims> = { user: someUser("user"), admin: someUser("admin") };

/** Tokens are user names here; other tests cover verification. */
async function verify(token: string): Promise<AccessClaims> {
  if (token === "revoked") throw new AppError("TokenRevokedError");
  if (token === "undecided") throw new AppError("ServiceUnavailable");
  if (token === "broken") throw new Error("a bug");
  const user = USERS[token];
  if (!user) throw new AppError("TokenError");
  return user;
}

async function get(url: string, authorization?: string) {
  const app = createApp({
    logger: createLogger({ service: "test", level: "silent" }),
    readiness: () => ({ status: "ready", checks: {} }),
    openapi: false,
  });
  app.get("/me", { onRequest: [requireUser(verify)] }, async (request) => ({ sub: currentUser(request).sub }));
  app.get("/maybe", { onRequest: [optionalUser(verify)] }, async (request) => ({ sub: request.user?.sub ?? null }));
  app.get("/admin", { onRequest: [requireUser(verify), requireRole("admin")] }, async (request) => ({
    sub: currentUser(request).sub,
  }));
  app.get("/unguarded", async (request) => ({ sub: currentUser(request).sub }));
  app.get("/service", { onRequest: [serviceTokenGuard(["first-token", "second-token"])] }, async () => ({ sub: null }));
  app.get("/nobody", { onRequest: [serviceTokenGuard([""])] }, async () => ({ sub: null }));
  const response = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
  await app.close();
  const { type, sub } = response.json<{ type?: string; sub?: string }>();
  return { status: response.statusCode, result: type ?? sub, challenge: response.headers["www-authenticate"] };
}

describe("requireUser", () => {
  const cases: [authorization: string | undefined, status: number, result: string | undefined][] = [
    [undefined, 401, "AuthenticationError"],
    ["", 401, "AuthenticationError"],
    ["Basic dXNlcjpwYXNz", 401, "AuthenticationError"],
    ["Bearer", 401, "AuthenticationError"],
    ["Bearer   ", 401, "AuthenticationError"],
    ["Bearer-user", 401, "AuthenticationError"],
    ["Beareruser", 401, "AuthenticationError"],
    ["Bearer user", 200, USERS["user"]?.sub],
    ["bearer user", 200, USERS["user"]?.sub],
    ["BEARER   user  ", 200, USERS["user"]?.sub],
    ["Bearer user admin", 401, "TokenError"],
    ["Bearer nonsense", 401, "TokenError"],
    ["Bearer revoked", 401, "TokenRevokedError"],
    ["Bearer undecided", 503, "ServiceUnavailable"],
  ];
  for (const [authorization, status, result] of cases) {
    test(`${authorization ?? "no header"}: ${status}`, async () => {
      const challenge = status === 401 ? "Bearer" : undefined;
      expect(await get("/me", authorization)).toEqual({ status, result, challenge });
    });
  }
});

describe("optionalUser", () => {
  const cases: [authorization: string | undefined, status: number, result: string | undefined | null][] = [
    [undefined, 200, null],
    ["Bearer user", 200, USERS["user"]?.sub],
    ["Bearer nonsense", 200, null],
    ["Bearer revoked", 200, null],
    ["Bearer undecided", 503, "ServiceUnavailable"],
    ["Bearer broken", 500, "InternalError"],
  ];
  for (const [authorization, status, result] of cases) {
    test(`${authorization ?? "no header"}: ${status}`, async () => {
      expect(await get("/maybe", authorization)).toMatchObject({ status, result });
    });
  }
});

describe("requireRole", () => {
  test("rejects another role with 403 and accepts the right one", async () => {
    expect(await get("/admin", "Bearer user")).toEqual({
      status: 403,
      result: "PermissionDenied",
      challenge: undefined,
    });
    expect(await get("/admin", "Bearer admin")).toMatchObject({ status: 200 });
    expect(await get("/admin")).toMatchObject({ status: 401, result: "AuthenticationError" });
  });

  test("currentUser throws on a route without the guard", async () => {
    expect(await get("/unguarded", "Bearer user")).toMatchObject({ status: 401, result: "AuthenticationError" });
  });
});

describe("serviceTokenGuard", () => {
  test("accepts each token of the list", async () => {
    expect(await get("/service", "Bearer first-token")).toMatchObject({ status: 200 });
    expect(await get("/service", "bearer second-token")).toMatchObject({ status: 200 });
  });

  test("rejects everything else", async () => {
    const wrong = [undefined, "Bearer", "Bearer first-toke", "Bearer first-tokens", "Bearer user", "Basic first-token"];
    for (const authorization of wrong)
      expect(await get("/service", authorization)).toMatchObject({ status: 401, result: "AuthenticationError" });
  });

  test("accepts no request for an empty token in the list", async () => {
    for (const authorization of [undefined, "Bearer", "Bearer  "])
      expect(await get("/nobody", authorization)).toMatchObject({ status: 401 });
  });
});

describe("clientAddress", () => {
  const cases = {
    "203.0.113.9": "203.0.113.9",
    "::ffff:203.0.113.9": "203.0.113.9",
    "::ffff:cb00:7109": "203.0.113.9",
    "2001:DB8:0:0::1": "2001:db8::1",
    "": "",
  };
  for (const [ip, address] of Object.entries(cases))
    test(`${ip || "nothing"} reads as ${address || "nothing"}`, () => expect(clientAddress({ ip })).toBe(address));
});
