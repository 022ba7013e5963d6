import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "@gatehouse/contracts";
import { newRefreshToken } from "../../src/services/sessions/refresh-token.ts";
import { type AuthFixture, type LoggedIn, PASSWORD, problemOf, refreshCookieOf, startAuth } from "../fixtures.ts";

let auth: AuthFixture;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.stop());

const revoked = [401, "TokenRevokedError"];
const me = async (user: LoggedIn) => problemOf(await auth.withToken(user.accessToken, "GET", "/v1/auth/sessions"));

describe("POST /v1/auth/logout", () => {
  const logout = (options: { bearer?: string; cookie?: string }) =>
    auth.app.inject({
      method: "POST",
      url: "/v1/auth/logout",
      ...(options.bearer !== undefined && { headers: { authorization: `Bearer ${options.bearer}` } }),
      ...(options.cookie !== undefined && { cookies: { refresh_token: options.cookie } }),
    });

  it.each([
    ["a bearer token", (user: LoggedIn) => ({ bearer: user.accessToken })],
    ["the cookie", (user: LoggedIn) => ({ cookie: user.refreshToken })],
    ["both", (user: LoggedIn) => ({ bearer: user.accessToken, cookie: user.refreshToken })],
    ["an invalid bearer token and the cookie", (user: LoggedIn) => ({ bearer: "stale", cookie: user.refreshToken })],
    ["a bearer token and an invalid cookie", (user: LoggedIn) => ({ bearer: user.accessToken, cookie: "x" })],
  ])("with %s ends the session and revokes its refresh token and access tokens", async (_how, credentials) => {
    const user = await auth.user();
    const response = await logout(credentials(user));
    expect(response.statusCode).toBe(204);
    expect(refreshCookieOf(response)).toMatchObject({ value: "", maxAge: 0, path: "/v1/auth", sameSite: "Strict" });
    expect(await me(user)).toEqual(revoked);
    expect(problemOf(await auth.refresh(user.refreshToken))).toEqual(revoked);
    expect((await auth.eventsOf(user.userId)).at(-1)).toMatchObject({
      type: "auth.session.revoked",
      version: 1,
      data: { session_id: user.sessionId, reason: "logout" },
    });
  });

  it("ends the session when the cookie holds a rotated token", async () => {
    const user = await auth.user();
    await auth.refresh(user.refreshToken);
    expect((await logout({ cookie: user.refreshToken })).statusCode).toBe(204);
    expect(await me(user)).toEqual(revoked);
  });

  it("does not end other sessions", async () => {
    const user = await auth.user();
    const other = await auth.loggedIn({ id: user.userId, email: user.email });
    await logout({ bearer: user.accessToken });
    expect((await auth.withToken(other.accessToken, "GET", "/v1/auth/sessions")).statusCode).toBe(200);
  });

  it("returns 401 without a valid token", async () => {
    expect(problemOf(await logout({}))).toEqual([401, "AuthenticationError"]);
    expect(problemOf(await logout({ bearer: "stale" }))).toEqual([401, "TokenError"]);
    expect(problemOf(await logout({ cookie: newRefreshToken() }))).toEqual([401, "TokenError"]);
  });
});

describe("POST /v1/auth/logout-all", () => {
  it("ends every session and revokes every access token; a new login succeeds", async () => {
    const user = await auth.user();
    const other = await auth.loggedIn({ id: user.userId, email: user.email });
    const response = await auth.withToken(user.accessToken, "POST", "/v1/auth/logout-all");
    expect(response.statusCode).toBe(204);
    expect([await me(user), await me(other)]).toEqual([revoked, revoked]);
    expect(problemOf(await auth.refresh(other.refreshToken))).toEqual(revoked);
    expect((await auth.eventsOf(user.userId)).at(-1)).toMatchObject({
      type: "auth.sessions.revoked",
      version: 2,
      data: { token_version: 2, reason: "logout_all" },
    });
    expect((await auth.login(user.email)).statusCode).toBe(200);
  });
});

describe("GET /v1/auth/sessions", () => {
  it("lists the live sessions, marks the caller's, and has no other fields", async () => {
    const user = await auth.user();
    const other = await auth.loggedIn({ id: user.userId, email: user.email });
    const ended = await auth.loggedIn({ id: user.userId, email: user.email });
    await auth.withToken(ended.accessToken, "POST", "/v1/auth/logout");
    const response = await auth.withToken(user.accessToken, "GET", "/v1/auth/sessions");
    const { items } = response.json<{ items: Record<string, unknown>[] }>();
    expect(items.map(({ id, current }) => [id, current])).toEqual([
      [other.sessionId, false],
      [user.sessionId, true],
    ]);
    expect(Object.keys(items[0] ?? {}).toSorted()).toEqual(
      ["created_at", "current", "device_id", "device_name", "id", "ip_address", "last_used_at"].toSorted(),
    );
  });

  it("omits a session whose refresh token has expired", async () => {
    const user = await auth.user();
    const other = await auth.loggedIn({ id: user.userId, email: user.email });
    await auth.db
      .updateTable("refresh_tokens")
      .set({ expires_at: new Date(0) })
      .where("session_id", "=", other.sessionId)
      .execute();
    const list = await auth.withToken(user.accessToken, "GET", "/v1/auth/sessions");
    expect(list.json<{ items: { id: string }[] }>().items.map(({ id }) => id)).toEqual([user.sessionId]);
    const remove = await auth.withToken(user.accessToken, "DELETE", `/v1/auth/sessions/${other.sessionId}`);
    expect(problemOf(remove)).toEqual([404, "ResourceNotFound"]);
  });
});

describe("DELETE /v1/auth/sessions/:id", () => {
  it("ends a session of the caller once and returns 404 for any other", async () => {
    const user = await auth.user();
    const other = await auth.loggedIn({ id: user.userId, email: user.email });
    const stranger = await auth.user();
    const remove = (by: LoggedIn, id: string) => auth.withToken(by.accessToken, "DELETE", `/v1/auth/sessions/${id}`);
    expect(problemOf(await remove(stranger, other.sessionId))).toEqual([404, "ResourceNotFound"]);
    expect((await remove(user, other.sessionId)).statusCode).toBe(204);
    expect(await me(other)).toEqual(revoked);
    expect(problemOf(await remove(user, other.sessionId))).toEqual([404, "ResourceNotFound"]);
    expect(problemOf(await remove(user, newId()))).toEqual([404, "ResourceNotFound"]);
    expect(problemOf(await remove(user, "no-uuid"))).toEqual([422, "ValidationError"]);
    expect((await auth.eventsOf(user.userId)).at(-1)).toMatchObject({ data: { reason: "removed" } });
  });
});

describe("POST /v1/auth/change-password", () => {
  const change = (user: LoggedIn, current_password: string, new_password: string) =>
    auth.withToken(user.accessToken, "POST", "/v1/auth/change-password", { current_password, new_password });

  it("ends every session; only the new password logs in", async () => {
    const user = await auth.user();
    const other = await auth.loggedIn({ id: user.userId, email: user.email });
    const response = await change(user, PASSWORD, "Battery-Staple-2");
    expect(response.statusCode).toBe(204);
    expect(refreshCookieOf(response)).toMatchObject({ value: "", maxAge: 0 });
    expect([await me(user), await me(other)]).toEqual([revoked, revoked]);
    expect(problemOf(await auth.login(user.email))).toEqual([401, "InvalidCredentials"]);
    expect((await auth.login(user.email, "Battery-Staple-2")).statusCode).toBe(200);
    expect((await auth.eventsOf(user.userId)).at(-1)).toMatchObject({
      type: "auth.password.changed",
      version: 2,
      data: { token_version: 2, by: "self" },
    });
  });

  it("returns 401 when the current password is wrong or too long, and changes nothing", async () => {
    const user = await auth.user();
    expect(problemOf(await change(user, "Wrong-Password-1", "Battery-Staple-2"))).toEqual([401, "InvalidCredentials"]);
    expect(problemOf(await change(user, "A1".repeat(65), "Battery-Staple-2"))).toEqual([401, "InvalidCredentials"]);
    expect((await auth.login(user.email)).statusCode).toBe(200);
  });

  it.each(["short1A", "no-digit-Here", "no-upper-case-1", "A1".repeat(65)])(
    "returns 422 for a new password that breaks the rules: %s",
    async (password) => {
      const user = await auth.user();
      expect(problemOf(await change(user, PASSWORD, password))).toEqual([422, "ValidationError"]);
    },
  );

  it("returns 401 without a bearer token before it parses the body", async () => {
    const response = await auth.app.inject({
      method: "POST",
      url: "/v1/auth/change-password",
      headers: { "content-type": "application/json" },
      payload: "{not json",
    });
    expect(problemOf(response)).toEqual([401, "AuthenticationError"]);
  });
});
