import { decodeJwt } from "jose";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newRefreshToken } from "../../src/services/sessions/refresh-token.ts";
import { type AuthFixture, type LoggedIn, problemOf, refreshCookieOf, startAuth } from "../fixtures.ts";

/** Moves the session's times into the past. */
async function age(auth: AuthFixture, user: LoggedIn, seconds: number) {
  const interval = sql`make_interval(secs => ${seconds})`;
  await sql`update refresh_tokens set revoked_at = revoked_at - ${interval}, expires_at = expires_at - ${interval}
    where session_id = ${user.sessionId}`.execute(auth.db);
  await sql`update sessions set created_at = created_at - ${interval} where id = ${user.sessionId}`.execute(auth.db);
}
const isAlive = async (auth: AuthFixture, user: LoggedIn) =>
  (await auth.withToken(user.accessToken, "GET", "/v1/auth/sessions")).statusCode === 200;

describe("POST /v1/auth/refresh without a reuse grace", () => {
  let auth: AuthFixture;
  beforeAll(async () => {
    auth = await startAuth();
  });
  afterAll(() => auth.stop());

  it("returns a new pair of tokens; the previous access token stays valid", async () => {
    const user = await auth.user();
    const response = await auth.refresh(user.refreshToken);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ access_token: expect.any(String), token_type: "bearer", expires_in: 900 });
    expect(refreshCookieOf(response)?.value).not.toBe(user.refreshToken);
    expect(await isAlive(auth, user)).toBe(true);
  });

  it("rotates each successor in turn", async () => {
    const user = await auth.user();
    let token = user.refreshToken;
    for (let rotation = 0; rotation < 10; rotation += 1) {
      const response = await auth.refresh(token);
      expect(response.statusCode).toBe(200);
      token = refreshCookieOf(response)?.value ?? "";
    }
  });

  it("ends the session when a rotated token is used again: clears the cookie, revokes the successor and the access tokens", async () => {
    const user = await auth.user();
    const successor = refreshCookieOf(await auth.refresh(user.refreshToken))?.value ?? "";
    const replay = await auth.refresh(user.refreshToken);
    expect(problemOf(replay)).toEqual([401, "TokenRevokedError"]);
    expect(refreshCookieOf(replay)).toMatchObject({ value: "", maxAge: 0, path: "/v1/auth", httpOnly: true });
    expect(await isAlive(auth, user)).toBe(false);

    const late = await auth.refresh(successor);
    expect(problemOf(late)).toEqual([401, "TokenRevokedError"]);
    expect(refreshCookieOf(late), "only the response that ended the session clears the cookie").toBeUndefined();
  });

  it("does not end the user's other sessions at a replay", async () => {
    const user = await auth.user();
    const other = await auth.loggedIn({ id: user.userId, email: user.email });
    await auth.refresh(user.refreshToken);
    await auth.refresh(user.refreshToken);
    expect(await isAlive(auth, other)).toBe(true);
    expect((await auth.refresh(other.refreshToken)).statusCode).toBe(200);
  });

  it.each([
    ["an unknown token", () => newRefreshToken()],
    ["a malformed token", () => "x"],
    ["an access token", (user: LoggedIn) => user.accessToken],
  ])("returns 401 TokenError for %s and keeps the cookie", async (_what, token) => {
    const user = await auth.user();
    const response = await auth.refresh(token(user));
    expect(problemOf(response)).toEqual([401, "TokenError"]);
    expect(refreshCookieOf(response)).toBeUndefined();
  });

  it("returns 401 AuthenticationError without a cookie", async () => {
    expect(problemOf(await auth.app.inject({ method: "POST", url: "/v1/auth/refresh" }))).toEqual([
      401,
      "AuthenticationError",
    ]);
  });

  it("returns 401 TokenError for an expired token", async () => {
    const user = await auth.user();
    await age(auth, user, 7 * 86_400 + 1);
    expect(problemOf(await auth.refresh(user.refreshToken))).toEqual([401, "TokenError"]);
  });

  it("rejects the token of a deactivated user", async () => {
    const [admin, user] = [await auth.admin(), await auth.user()];
    await auth.internal("PATCH", `/internal/accounts/${user.userId}`, {
      is_active: false,
      on_behalf_of: auth.onBehalfOf(admin),
    });
    expect(problemOf(await auth.refresh(user.refreshToken))).toEqual([401, "TokenRevokedError"]);
  });

  it("expires a session after SESSION_MAX_DAYS despite refreshes", async () => {
    const user = await auth.user();
    await sql`update sessions set created_at = now() - interval '89 days' where id = ${user.sessionId}`.execute(
      auth.db,
    );
    const late = await auth.refresh(user.refreshToken);
    expect(refreshCookieOf(late)?.maxAge).toBeLessThanOrEqual(86_400);
    await sql`update sessions set created_at = now() - interval '91 days' where id = ${user.sessionId}`.execute(
      auth.db,
    );
    expect(problemOf(await auth.refresh(refreshCookieOf(late)?.value ?? ""))).toEqual([401, "TokenError"]);
  });

  it("returns an access token that expires no later than the session", async () => {
    const user = await auth.user();
    const aMinuteLeft = sql`now() - interval '90 days' + interval '60 seconds'`;
    await sql`update sessions set created_at = ${aMinuteLeft} where id = ${user.sessionId}`.execute(auth.db);
    const answer = (await auth.refresh(user.refreshToken)).json<{ access_token: string; expires_in: number }>();
    expect(answer.expires_in).toBeLessThanOrEqual(60);
    const { iat = 0, exp } = decodeJwt(answer.access_token);
    expect(exp).toBe(iat + answer.expires_in);
  });
});

describe("POST /v1/auth/refresh with a reuse grace of ten seconds", () => {
  let auth: AuthFixture;
  beforeAll(async () => {
    auth = await startAuth({ REFRESH_REUSE_GRACE_SECONDS: "10" });
  });
  afterAll(() => auth.stop());

  it("returns the same successor to simultaneous uses of one token", async () => {
    const user = await auth.user();
    const responses = await Promise.all(Array.from({ length: 5 }, () => auth.refresh(user.refreshToken)));
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200]);
    const successors = new Set(responses.map((response) => refreshCookieOf(response)?.value));
    expect(successors.size).toBe(1);
    expect((await auth.refresh([...successors][0] ?? "")).statusCode).toBe(200);
  });

  it("rejects the reuse of a token whose successor was used, without ending the session or clearing the cookie", async () => {
    const user = await auth.user();
    const successor = refreshCookieOf(await auth.refresh(user.refreshToken))?.value ?? "";
    const next = refreshCookieOf(await auth.refresh(successor))?.value ?? "";
    const late = await auth.refresh(user.refreshToken);
    expect(problemOf(late)).toEqual([401, "TokenError"]);
    expect(refreshCookieOf(late)).toBeUndefined();
    expect((await auth.refresh(next)).statusCode).toBe(200);
  });

  it("ends the session when a token is reused after the grace", async () => {
    const user = await auth.user();
    await auth.refresh(user.refreshToken);
    await age(auth, user, 11);
    expect(problemOf(await auth.refresh(user.refreshToken))).toEqual([401, "TokenRevokedError"]);
    expect(await isAlive(auth, user)).toBe(false);
  });

  it("stores the successor sealed and deletes it after the grace", async () => {
    const user = await auth.user();
    const successor = refreshCookieOf(await auth.refresh(user.refreshToken))?.value ?? "";
    const sealed = () =>
      auth.db
        .selectFrom("refresh_tokens")
        .select("sealed_successor")
        .where("session_id", "=", user.sessionId)
        .where("sealed_successor", "is not", null)
        .execute();
    const [row] = await sealed();
    expect(row?.sealed_successor?.includes(successor)).toBe(false);
    await age(auth, user, 11);
    const report = await auth.deps.services.maintenance.cleanUpTokens();
    expect(report.sealedSuccessors).toBeGreaterThan(0);
    expect(await sealed()).toEqual([]);
  });
});
