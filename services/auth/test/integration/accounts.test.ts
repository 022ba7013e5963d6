import { INTROSPECTION_BATCH_MAX, newId } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AuthFixture, type LoggedIn, PASSWORD, problemOf, startAuth } from "../fixtures.ts";

let auth: AuthFixture;
let admin: LoggedIn;
beforeAll(async () => {
  auth = await startAuth();
  admin = await auth.admin();
});
afterAll(() => auth.stop());

const patch = (id: string, changes: object, by: LoggedIn = admin) =>
  auth.internal("PATCH", `/internal/accounts/${id}`, { ...changes, on_behalf_of: auth.onBehalfOf(by) });
const remove = (id: string, command: object, by: LoggedIn = admin) =>
  auth.internal("POST", `/internal/accounts/${id}/delete`, { ...command, on_behalf_of: auth.onBehalfOf(by) });
const restore = (id: string) =>
  auth.internal("POST", `/internal/accounts/${id}/restore`, { on_behalf_of: auth.onBehalfOf(admin) });
const typesOf = async (id: string) => (await auth.eventsOf(id)).map(({ type }) => type);
const isRevoked = async (user: LoggedIn) =>
  (await auth.withToken(user.accessToken, "GET", "/v1/auth/sessions")).statusCode === 401;

describe("POST /internal/accounts, authentication", () => {
  it.each([
    ["no token", {}],
    ["another token", { authorization: "Bearer something-else" }],
    ["the introspection token", { authorization: "Bearer introspection-token-of-the-tests" }],
  ])("rejects a request with %s", async (_what, headers) => {
    const response = await auth.app.inject({ method: "POST", url: "/internal/accounts", headers, payload: {} });
    expect(problemOf(response)).toEqual([401, "AuthenticationError"]);
  });
});

describe("POST /internal/accounts", () => {
  it("writes one event with the account's version", async () => {
    const response = await auth.createAccount({ full_name: "Ada" });
    expect(response.statusCode).toBe(201);
    const account = response.json<{ id: string; email: string }>();
    expect(response.body).not.toContain("argon2");
    expect(await auth.eventsOf(account.id)).toMatchObject([
      {
        type: "auth.account.created",
        source: "auth",
        version: 1,
        data: {
          user_id: account.id,
          email: account.email,
          full_name: "Ada",
          role: "user",
          is_active: true,
          is_verified: false,
        },
      },
    ]);
  });

  it("creates an admin only for an admin; a plain user needs no actor", async () => {
    const user = await auth.user();
    expect(problemOf(await auth.createAccount({ role: "admin" }))).toEqual([403, "PermissionDenied"]);
    expect(problemOf(await auth.createAccount({ role: "admin", on_behalf_of: auth.onBehalfOf(user) }))).toEqual([
      403,
      "PermissionDenied",
    ]);
    const created = await auth.createAccount({ role: "admin", on_behalf_of: auth.onBehalfOf(admin) });
    expect(created.json()).toMatchObject({ role: "admin" });
    const [event] = await auth.eventsOf(created.json<{ id: string }>().id);
    expect(event).toMatchObject({ actor: admin.userId });
  });
});

describe("PATCH /internal/accounts/:id", () => {
  it.each([
    ["role", { role: "admin" }, ["auth.account.updated", "auth.sessions.revoked"], true],
    ["is_active", { is_active: false }, ["auth.account.updated", "auth.sessions.revoked"], true],
    ["password", { password: "x" }, ["auth.password.changed"], true],
    ["email", { email: "moved@example.com" }, ["auth.account.updated"], false],
    ["is_verified", { is_verified: true }, ["auth.account.updated"], false],
    [
      "password and role",
      { password: "x", role: "admin" },
      ["auth.account.updated", "auth.password.changed", "auth.sessions.revoked"],
      true,
    ],
    ["no value", {}, [], false],
    ["unchanged values", { role: "user", is_active: true }, [], false],
  ] as [string, object, string[], boolean][])(
    "changing %s writes its events and revokes tokens only if required",
    async (_what, changes, types, revokes) => {
      const user = await auth.user();
      const response = await patch(user.userId, changes);
      expect(response.statusCode).toBe(200);
      expect((await typesOf(user.userId)).slice(1).toSorted()).toEqual(types);
      expect(await isRevoked(user)).toBe(revokes);
      const events = (await auth.eventsOf(user.userId)).slice(1);
      const { version, token_version } = response.json<{ version: number; token_version: number }>();
      expect(version).toBe(types.length === 0 ? 1 : 2);
      expect(token_version).toBe(revokes ? 2 : 1);
      expect(events.every((event) => event.version === 2)).toBe(true);
    },
  );

  it("rejects changes that need an admin", async () => {
    const [user, other] = [await auth.user(), await auth.user()];
    expect(problemOf(await patch(other.userId, { email: "x@example.com" }, user))).toEqual([403, "PermissionDenied"]);
    expect(problemOf(await patch(user.userId, { role: "admin" }, user))).toEqual([403, "PermissionDenied"]);
    expect(problemOf(await patch(user.userId, { password: "x" }, user))).toEqual([403, "PermissionDenied"]);
    expect((await patch(user.userId, { email: auth.newEmail() }, user)).statusCode).toBe(200);
  });

  it("rejects an actor whose token is no longer valid", async () => {
    const user = await auth.user();
    await auth.withToken(user.accessToken, "POST", "/v1/auth/logout");
    expect(problemOf(await patch(user.userId, { email: auth.newEmail() }, user))).toEqual([401, "TokenRevokedError"]);
  });

  it("returns 404 for an unknown account and 409 for a taken email", async () => {
    const [user, other] = [await auth.user(), await auth.user()];
    expect(problemOf(await patch(newId(), { is_verified: true }))).toEqual([404, "UserNotFound"]);
    expect(problemOf(await patch(user.userId, { email: other.email }))).toEqual([409, "EmailAlreadyExists"]);
  });

  it("keeps the last active admin", async () => {
    for (const changes of [{ role: "user" }, { is_active: false }]) {
      await auth.db.updateTable("accounts").set({ role: "user" }).where("id", "!=", admin.userId).execute();
      expect(problemOf(await patch(admin.userId, changes))).toEqual([409, "LastAdmin"]);
    }
    expect(problemOf(await remove(admin.userId, { soft: false }))).toEqual([409, "LastAdmin"]);
    expect(problemOf(await remove(admin.userId, { soft: true, password: PASSWORD }))).toEqual([409, "LastAdmin"]);
  });
});

describe("POST /internal/accounts/:id/delete, soft", () => {
  it("needs the password, revokes every token, frees the email, and can be restored", async () => {
    const user = await auth.user();
    expect(problemOf(await remove(user.userId, { soft: true, password: "Wrong-1" }, user))).toEqual([
      401,
      "InvalidCredentials",
    ]);
    expect(problemOf(await remove(user.userId, { soft: true }, user))).toEqual([403, "PermissionDenied"]);
    const deleted = await remove(user.userId, { soft: true, password: PASSWORD }, user);
    expect(deleted.json()).toEqual({ id: user.userId, version: 2, deleted_at: expect.any(String) });
    expect(await isRevoked(user)).toBe(true);
    expect(problemOf(await auth.refresh(user.refreshToken))).toEqual([401, "TokenRevokedError"]);
    expect(problemOf(await auth.login(user.email))).toEqual([401, "InvalidCredentials"]);
    expect(problemOf(await patch(user.userId, { is_verified: true }))).toEqual([404, "UserNotFound"]);

    const successor = (await auth.createAccount({ email: user.email })).json<{ id: string }>();
    expect(problemOf(await restore(user.userId))).toEqual([409, "EmailAlreadyExists"]);
    expect((await remove(successor.id, { soft: false })).statusCode).toBe(200);
    expect((await restore(user.userId)).json()).toMatchObject({ email: user.email, deleted_at: null });
    expect((await auth.login(user.email)).statusCode).toBe(200);
    expect(await isRevoked(user), "tokens from before the deletion stay revoked").toBe(true);
    expect(await typesOf(user.userId)).toEqual([
      "auth.account.created",
      "auth.account.deleted",
      "auth.account.restored",
    ]);
    expect((await restore(user.userId)).statusCode).toBe(200);
    expect(await typesOf(user.userId)).toHaveLength(3);
  });

  it("is erased after the retention and not earlier", async () => {
    const user = await auth.user();
    await remove(user.userId, { soft: true, password: PASSWORD }, user);
    const { deletions } = auth.deps.services;
    const longAgo = new Date(Date.now() - 30 * 86_400_000 - 60_000);
    expect(await deletions.eraseExpired(10)).toBe(0);
    await auth.db.updateTable("accounts").set({ deleted_at: longAgo }).where("id", "=", user.userId).execute();
    expect(await deletions.eraseExpired(10)).toBe(1);
    expect((await auth.eventsOf(user.userId)).at(-1)).toMatchObject({
      type: "auth.account.deleted",
      version: 3,
      data: { soft: false, token_version: 3 },
    });
    expect(problemOf(await restore(user.userId))).toEqual([404, "UserNotFound"]);
  });
});

describe("POST /internal/accounts/:id/delete, hard", () => {
  it("needs an admin and deletes all personal data", async () => {
    const user = await auth.user();
    expect(problemOf(await remove(user.userId, { soft: false }, user))).toEqual([403, "PermissionDenied"]);
    expect((await remove(user.userId, { soft: false })).json()).toEqual({
      id: user.userId,
      version: 2,
      deleted_at: null,
    });
    expect(await isRevoked(user)).toBe(true);
    expect(problemOf(await auth.refresh(user.refreshToken))).toEqual([401, "TokenError"]);
    for (const table of ["accounts", "sessions", "refresh_tokens", "tombstones"] as const) {
      const rows = JSON.stringify(await auth.db.selectFrom(table).selectAll().execute());
      expect(rows).not.toContain(user.email);
    }
    expect(problemOf(await remove(user.userId, { soft: false }))).toEqual([404, "UserNotFound"]);
  });
});

describe("POST /internal/introspect", () => {
  const ask = async (...tokens: object[]) => (await auth.introspect(tokens)).json<{ results: unknown[] }>().results;
  const kid = () => auth.deps.services.keys.signingKey().kid;

  it("returns one result for each token in order", async () => {
    const [live, out, versioned] = [await auth.user(), await auth.user(), await auth.user()];
    await auth.withToken(out.accessToken, "POST", "/v1/auth/logout");
    await auth.withToken(versioned.accessToken, "POST", "/v1/auth/logout-all");
    const claims = (user: LoggedIn) => ({ ...auth.onBehalfOf(user), kid: kid() });
    expect(
      await ask(
        claims(live),
        claims(out),
        claims(versioned),
        { ...claims(live), sid: out.sessionId },
        { ...claims(live), sub: newId() },
        { ...claims(live), kid: "retired" },
      ),
    ).toEqual([
      { active: true, session_ended: false, least_token_version: 1 },
      { active: false, session_ended: true, least_token_version: 1 },
      { active: false, session_ended: true, least_token_version: 2 },
      { active: false, session_ended: true, least_token_version: 1 },
      { active: false, session_ended: true, least_token_version: null },
      { active: false, session_ended: false, least_token_version: 1 },
    ]);
  });

  it("accepts the largest batch, which is over the limit of other routes", async () => {
    const claims = { ...auth.onBehalfOf(admin), kid: "k".repeat(100) };
    expect(await ask(...Array.from({ length: INTROSPECTION_BATCH_MAX }, () => claims))).toHaveLength(
      INTROSPECTION_BATCH_MAX,
    );
  });

  it("rejects a request without the introspection token", async () => {
    const response = await auth.app.inject({ method: "POST", url: "/internal/introspect", payload: { tokens: [] } });
    expect(problemOf(response)).toEqual([401, "AuthenticationError"]);
  });
});
