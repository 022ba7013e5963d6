import { newId } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accountEvent, startUser, type UserFixture } from "../fixtures.ts";

let user: UserFixture;
beforeAll(async () => {
  user = await startUser();
});
afterAll(() => user.stop());

const types = async (id: string) => (await user.eventsOf(id)).map(({ type }) => type);

describe("GET /v1/users/me", () => {
  it.each(["/v1/users/me", "/v1/auth/me"])("returns the user at %s", async (url) => {
    const registered = await user.register();
    const response = await user.call("GET", url, { as: { sub: registered.id } });
    expect(response).toMatchObject({ status: 200, body: registered });
  });

  it("returns 401 without a token and with a malformed one", async () => {
    const anonymous = await user.call("GET", "/v1/users/me");
    expect(anonymous).toMatchObject({ status: 401, body: { type: "AuthenticationError" } });
    const forged = await user.call("GET", "/v1/users/me", { headers: { authorization: "Bearer a.b.c" } });
    expect(forged).toMatchObject({
      status: 401,
      body: { type: "TokenError" },
      headers: { "www-authenticate": "Bearer" },
    });
  });

  it("returns 503 with Retry-After while the user's event has not arrived", async () => {
    const response = await user.call("GET", "/v1/auth/me", { as: { sub: newId() } });
    expect(response).toMatchObject({
      status: 503,
      body: { type: "ServiceUnavailable" },
      headers: { "retry-after": "1" },
    });
  });

  it("rejects a deleted user's token before the revocation view knows the deletion", async () => {
    const { id } = await user.register();
    await user.publish(accountEvent("auth.account.deleted", id, 2));
    await user.consumed();
    expect(await user.call("GET", "/v1/users/me", { as: { sub: id } })).toMatchObject({
      status: 401,
      body: { type: "TokenRevokedError" },
    });
  });
});

describe("PATCH /v1/users/me", () => {
  it("changes and publishes the name without a call to auth", async () => {
    const { id } = await user.register();
    const before = user.auth.commands.length;
    const response = await user.call("PATCH", "/v1/users/me", { as: { sub: id }, body: { full_name: "Ann Smith" } });
    expect(response).toMatchObject({ status: 200, body: { full_name: "Ann Smith" } });
    expect(user.auth.commands).toHaveLength(before);
    expect((await user.eventsOf(id)).at(-1)).toMatchObject({
      type: "user.profile.updated",
      version: 2,
      actor: id,
      data: { user_id: id, full_name: "Ann Smith", changed: ["full_name"] },
    });
    expect((await user.call("GET", "/v1/auth/me", { as: { sub: id } })).body).toEqual(response.body);
  });

  it("changes nothing for the same name or an empty body", async () => {
    const registered = await user.register();
    for (const body of [{ full_name: "Ann" }, {}])
      expect(await user.call("PATCH", "/v1/users/me", { as: { sub: registered.id }, body })).toMatchObject({
        status: 200,
        body: registered,
      });
    expect(await types(registered.id)).toEqual(["user.registered"]);
  });

  it("changes the email in auth on behalf of the caller, readable at once", async () => {
    const { id } = await user.register();
    const sid = newId();
    const email = `${newId()}@example.org`;
    const body = { email, full_name: null };
    const response = await user.call("PATCH", "/v1/users/me", { as: { sub: id, sid }, body });
    expect(response).toMatchObject({ status: 200, body: { email, full_name: null } });
    expect(user.auth.commands.at(-1)).toMatchObject({
      method: "PATCH",
      path: `/internal/accounts/${id}`,
      body: { email, on_behalf_of: { sub: id, sid, token_version: 1 } },
    });
    await user.publish(accountEvent("auth.account.updated", id, 2, { email, changed: ["email"] }));
    await user.consumed();
    expect((await user.call("GET", "/v1/users/me", { as: { sub: id } })).body).toEqual(response.body);
  });

  it("keeps the name when auth rejects the email", async () => {
    const { email } = await user.register();
    const { id } = await user.register();
    const response = await user.call("PATCH", "/v1/users/me", { as: { sub: id }, body: { email, full_name: "Bob" } });
    expect(response).toMatchObject({ status: 409, body: { type: "EmailAlreadyExists" } });
    expect((await user.call("GET", "/v1/users/me", { as: { sub: id } })).body.full_name).toBe("Ann");
  });

  it("rejects admin fields", async () => {
    const { id } = await user.register();
    const response = await user.call("PATCH", "/v1/users/me", { as: { sub: id }, body: { role: "admin" } });
    expect(response).toMatchObject({ status: 422, body: { type: "ValidationError" } });
  });
});

describe("DELETE /v1/users/me", () => {
  it("soft-deletes the user with one event and clears the cookie", async () => {
    const { id } = await user.register();
    const response = await user.call("DELETE", "/v1/users/me", { as: { sub: id }, body: { password: "Secret123" } });
    expect(response.status).toBe(204);
    expect(String(response.headers["set-cookie"]).split("; ").toSorted()).toEqual(
      [
        ...["refresh_token=", "Path=/v1/auth", "HttpOnly", "SameSite=Strict", "Max-Age=0"],
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
      ].toSorted(),
    );
    expect(user.auth.commands.at(-1)).toMatchObject({
      path: `/internal/accounts/${id}/delete`,
      body: { soft: true, password: "Secret123" },
    });
    await user.publish(accountEvent("auth.account.deleted", id, 2));
    await user.consumed();
    expect(await types(id)).toEqual(["user.registered", "user.deleted"]);
    expect((await user.eventsOf(id)).at(-1)?.data).toMatchObject({ soft: true });
  });

  it("returns 401 for a wrong password and deletes nothing", async () => {
    const { id } = await user.register();
    const response = await user.call("DELETE", "/v1/users/me", { as: { sub: id }, body: { password: "wrong" } });
    expect(response).toMatchObject({ status: 401, body: { type: "InvalidCredentials" } });
    expect(response.headers["set-cookie"]).toBeUndefined();
    expect((await user.call("GET", "/v1/users/me", { as: { sub: id } })).status).toBe(200);
  });
});

describe("GET /v1/users/{id}", () => {
  it("returns the public part to other users, everything to admins and to the user", async () => {
    const registered = await user.register();
    const { id, full_name, created_at } = registered;
    const see = async (as: { sub: string; role?: string }) => (await user.call("GET", `/v1/users/${id}`, { as })).body;
    expect(await see({ sub: newId() })).toEqual({ id, full_name, created_at });
    expect(await see({ sub: newId(), role: "admin" })).toEqual(registered);
    expect(await see({ sub: id })).toEqual(registered);
  });

  it("returns 404 for an unknown or deleted user and 422 for a malformed id", async () => {
    const as = { sub: newId(), role: "admin" };
    const { id } = await user.register();
    await user.call("DELETE", "/v1/users/me", { as: { sub: id }, body: { password: "Secret123" } });
    for (const missing of [id, newId()])
      expect(await user.call("GET", `/v1/users/${missing}`, { as })).toMatchObject({
        status: 404,
        body: { type: "UserNotFound" },
      });
    expect((await user.call("GET", "/v1/users/12", { as })).status).toBe(422);
  });
});
