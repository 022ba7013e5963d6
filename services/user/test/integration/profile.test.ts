import { newId } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accountEvent, startUser, type UserFixture } from "../fixtures.ts";

let user: UserFixture;
beforeAll(async () => {
  user = await startUser();
});
afterAll(() => user.stop());

const types = async (id: string) => (await user.announced(id)).map(({ type }) => type);

describe("what happens when somebody looks at themselves", () => {
  it.each(["/v1/users/me", "/v1/auth/me"])("%s answers the user", async (url) => {
    const registered = await user.register();
    const answer = await user.call("GET", url, { as: { sub: registered.id } });
    expect(answer).toMatchObject({ status: 200, body: registered });
  });

  it("nobody without a token, or with one that is none", async () => {
    const anonymous = await user.call("GET", "/v1/users/me");
    expect(anonymous).toMatchObject({ status: 401, body: { type: "AuthenticationError" } });
    const forged = await user.call("GET", "/v1/users/me", { headers: { authorization: "Bearer a.b.c" } });
    expect(forged).toMatchObject({
      status: 401,
      body: { type: "TokenError" },
      headers: { "www-authenticate": "Bearer" },
    });
  });

  it("a user whose event is still on the way is asked to come back", async () => {
    const answer = await user.call("GET", "/v1/auth/me", { as: { sub: newId() } });
    expect(answer).toMatchObject({
      status: 503,
      body: { type: "ServiceUnavailable" },
      headers: { "retry-after": "1" },
    });
  });

  it("a user that is gone has no valid token any more, whatever the verifier knows", async () => {
    const { id } = await user.register();
    await user.publish(accountEvent("auth.account.deleted", id, 2));
    await user.consumed();
    expect(await user.call("GET", "/v1/users/me", { as: { sub: id } })).toMatchObject({
      status: 401,
      body: { type: "TokenRevokedError" },
    });
  });
});

describe("what happens when somebody changes themselves", () => {
  it("the name is written here and announced, and auth is not asked", async () => {
    const { id } = await user.register();
    const before = user.auth.commands.length;
    const answer = await user.call("PATCH", "/v1/users/me", { as: { sub: id }, body: { full_name: "Ann Smith" } });
    expect(answer).toMatchObject({ status: 200, body: { full_name: "Ann Smith" } });
    expect(user.auth.commands).toHaveLength(before);
    expect((await user.announced(id)).at(-1)).toMatchObject({
      type: "user.profile.updated",
      version: 2,
      actor: id,
      data: { user_id: id, full_name: "Ann Smith", changed: ["full_name"] },
    });
    expect((await user.call("GET", "/v1/auth/me", { as: { sub: id } })).body).toEqual(answer.body);
  });

  it("the same name, or nothing, changes nothing", async () => {
    const registered = await user.register();
    for (const body of [{ full_name: "Ann" }, {}])
      expect(await user.call("PATCH", "/v1/users/me", { as: { sub: registered.id }, body })).toMatchObject({
        status: 200,
        body: registered,
      });
    expect(await types(registered.id)).toEqual(["user.registered"]);
  });

  it("the email goes to auth on the caller's behalf, and is read back at once", async () => {
    const { id } = await user.register();
    const sid = newId();
    const email = `${newId()}@example.org`;
    const body = { email, full_name: null };
    const answer = await user.call("PATCH", "/v1/users/me", { as: { sub: id, sid }, body });
    expect(answer).toMatchObject({ status: 200, body: { email, full_name: null } });
    expect(user.auth.commands.at(-1)).toMatchObject({
      method: "PATCH",
      path: `/internal/accounts/${id}`,
      body: { email, on_behalf_of: { sub: id, sid, token_version: 1 } },
    });
    await user.publish(accountEvent("auth.account.updated", id, 2, { email, changed: ["email"] }));
    await user.consumed();
    expect((await user.call("GET", "/v1/users/me", { as: { sub: id } })).body).toEqual(answer.body);
  });

  it("an email that auth refuses leaves the name as it was", async () => {
    const { email } = await user.register();
    const { id } = await user.register();
    const answer = await user.call("PATCH", "/v1/users/me", { as: { sub: id }, body: { email, full_name: "Bob" } });
    expect(answer).toMatchObject({ status: 409, body: { type: "EmailAlreadyExists" } });
    expect((await user.call("GET", "/v1/users/me", { as: { sub: id } })).body.full_name).toBe("Ann");
  });

  it("fields of the admin's are refused", async () => {
    const { id } = await user.register();
    const answer = await user.call("PATCH", "/v1/users/me", { as: { sub: id }, body: { role: "admin" } });
    expect(answer).toMatchObject({ status: 422, body: { type: "ValidationError" } });
  });
});

describe("what happens when somebody deletes themselves", () => {
  it("the user is soft-deleted, announced once, and the cookie cleared as it was set", async () => {
    const { id } = await user.register();
    const answer = await user.call("DELETE", "/v1/users/me", { as: { sub: id }, body: { password: "Secret123" } });
    expect(answer.status).toBe(204);
    expect(String(answer.headers["set-cookie"]).split("; ").toSorted()).toEqual(
      ["refresh_token=", "Path=/v1/auth", "HttpOnly", "SameSite=Strict", "Max-Age=0"].toSorted(),
    );
    expect(user.auth.commands.at(-1)).toMatchObject({
      path: `/internal/accounts/${id}/delete`,
      body: { soft: true, password: "Secret123" },
    });
    await user.publish(accountEvent("auth.account.deleted", id, 2));
    await user.consumed();
    expect(await types(id)).toEqual(["user.registered", "user.deleted"]);
    expect((await user.announced(id)).at(-1)?.data).toMatchObject({ soft: true });
  });

  it("the wrong password is 401 and deletes nothing", async () => {
    const { id } = await user.register();
    const answer = await user.call("DELETE", "/v1/users/me", { as: { sub: id }, body: { password: "wrong" } });
    expect(answer).toMatchObject({ status: 401, body: { type: "InvalidCredentials" } });
    expect(answer.headers["set-cookie"]).toBeUndefined();
    expect((await user.call("GET", "/v1/users/me", { as: { sub: id } })).status).toBe(200);
  });
});

describe("what happens when somebody looks at another user", () => {
  it("a user sees what is public, an admin and oneself see all", async () => {
    const registered = await user.register();
    const { id, full_name, created_at } = registered;
    const see = async (as: { sub: string; role?: string }) => (await user.call("GET", `/v1/users/${id}`, { as })).body;
    expect(await see({ sub: newId() })).toEqual({ id, full_name, created_at });
    expect(await see({ sub: newId(), role: "admin" })).toEqual(registered);
    expect(await see({ sub: id })).toEqual(registered);
  });

  it("an unknown or deleted one is 404, an id that is none is 422", async () => {
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
