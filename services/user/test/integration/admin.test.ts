import { newId } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accountEvent, startUser, type UserFixture } from "../fixtures.ts";

const admin = { sub: newId(), sid: newId(), role: "admin" };

let user: UserFixture;
beforeAll(async () => {
  user = await startUser();
});
afterAll(() => user.stop());

const types = async (id: string) => (await user.eventsOf(id)).map(({ type }) => type);
const url = (id: string) => `/v1/admin/users/${id}`;

describe("admin routes", () => {
  const routes = [
    ["GET", "/v1/admin/users?limit=nonsense"],
    ["POST", "/v1/admin/users"],
    ["GET", url(newId())],
    ["PATCH", url("no-uuid")],
    ["DELETE", url(newId())],
    ["POST", `${url(newId())}/restore`],
  ] as const;

  it.each(routes)(
    "%s %s returns 401 without a token and 403 to a user, before it validates the request",
    async (method, path) => {
      expect(await user.call(method, path)).toMatchObject({ status: 401, body: { type: "AuthenticationError" } });
      for (const role of ["user", "unknown"])
        expect(await user.call(method, path, { as: { sub: newId(), role } })).toMatchObject({
          status: 403,
          body: { type: "PermissionDenied" },
        });
    },
  );
});

describe("POST /v1/admin/users", () => {
  it("sets every field, on behalf of the admin", async () => {
    const email = `${newId()}@example.com`;
    const body = { email, password: "x", full_name: "Bob", role: "admin", is_active: false, is_verified: true };
    const response = await user.call("POST", "/v1/admin/users", { as: admin, body });
    const { password: _, ...shown } = body;
    expect(response).toMatchObject({ status: 201, body: { ...shown, is_deleted: false, deleted_at: null } });
    expect(user.auth.commands.at(-1)?.body).toMatchObject({
      password: "x",
      on_behalf_of: { sub: admin.sub, sid: admin.sid, token_version: 1 },
    });
    expect(await user.eventsOf(response.body.id)).toMatchObject([{ type: "user.registered", actor: admin.sub }]);
  });

  it("creates an active, unverified user with role user by default", async () => {
    const body = { email: `${newId()}@example.com`, password: "x" };
    const response = await user.call("POST", "/v1/admin/users", { as: admin, body });
    expect(response.body).toMatchObject({ full_name: null, role: "user", is_active: true, is_verified: false });
  });
});

describe("PATCH /v1/admin/users/{id}", () => {
  it("changes account and profile together, readable at once", async () => {
    const { id } = await user.register();
    const changes = { role: "admin", is_active: false, is_verified: true, full_name: "Carl" };
    const response = await user.call("PATCH", url(id), { as: admin, body: { ...changes, password: "new" } });
    expect(response).toMatchObject({ status: 200, body: changes });
    expect(user.auth.commands.at(-1)?.body).toEqual({
      role: "admin",
      is_active: false,
      is_verified: true,
      password: "new",
      on_behalf_of: { sub: admin.sub, sid: admin.sid, token_version: 1 },
    });
    expect((await user.call("GET", url(id), { as: admin })).body).toEqual(response.body);
    expect(await types(id)).toEqual(["user.registered", "user.profile.updated"]);
  });

  it("publishes nothing and keeps version and updated_at when no value differs", async () => {
    const registered = await user.register();
    for (const body of [{}, { full_name: "Ann" }, { is_active: true, role: "user" }]) {
      const response = await user.call("PATCH", url(registered.id), { as: admin, body });
      expect(response).toMatchObject({ status: 200, body: registered });
    }
    expect(await types(registered.id)).toEqual(["user.registered"]);
  });

  it("returns auth's error unchanged", async () => {
    const { id } = await user.register();
    user.auth.breakNext({ kind: "error", status: 409, type: "LastAdmin" });
    const response = await user.call("PATCH", url(id), { as: admin, body: { role: "user", full_name: "Dora" } });
    expect(response).toMatchObject({ status: 409, body: { type: "LastAdmin" } });
    expect(await types(id)).toEqual(["user.registered"]);
  });

  it("rejects an unknown user and an unknown role", async () => {
    for (const body of [{ is_active: true }, { full_name: "Nobody" }, {}])
      expect(await user.call("PATCH", url(newId()), { as: admin, body })).toMatchObject({
        status: 404,
        body: { type: "UserNotFound" },
      });
    const { id } = await user.register();
    expect((await user.call("PATCH", url(id), { as: admin, body: { role: "unknown" } })).status).toBe(422);
  });

  it("sets a name that survives a creation that arrives later", async () => {
    const id = newId();
    await user.publish(accountEvent("auth.account.updated", id, 2));
    await user.consumed();
    await user.call("PATCH", url(id), { as: admin, body: { full_name: "Named" } });
    await user.publish(accountEvent("auth.account.created", id, 1));
    await user.consumed();
    expect((await user.call("GET", url(id), { as: admin })).body.full_name).toBe("Named");
    expect(await types(id)).toEqual(["user.registered", "user.profile.updated"]);
  });
});

describe("a soft-deleted user", () => {
  async function deleted() {
    const registered = await user.register();
    const body = { password: "Secret123" };
    await user.call("DELETE", "/v1/users/me", { as: { sub: registered.id }, body });
    return registered;
  }

  it("can be read by an admin and not changed", async () => {
    const { id } = await deleted();
    expect(await user.call("GET", url(id), { as: admin })).toMatchObject({
      status: 200,
      body: { is_deleted: true, deleted_at: expect.stringMatching(/Z$/) },
    });
    for (const body of [{ is_active: false }, { full_name: "Ada" }, {}])
      expect(await user.call("PATCH", url(id), { as: admin, body })).toMatchObject({
        status: 404,
        body: { type: "UserNotFound" },
      });
  });

  it("is restored with one event; a second restoration changes nothing", async () => {
    const { id } = await deleted();
    const response = await user.call("POST", `${url(id)}/restore`, { as: admin });
    expect(response).toMatchObject({ status: 200, body: { is_deleted: false, deleted_at: null } });
    await user.publish(accountEvent("auth.account.restored", id, 3));
    await user.consumed();
    expect(await user.call("POST", `${url(id)}/restore`, { as: admin })).toMatchObject({
      status: 200,
      body: response.body,
    });
    expect(await types(id)).toEqual(["user.registered", "user.deleted", "user.restored"]);
  });

  it("is not restored when its email is taken", async () => {
    const { id, email } = await deleted();
    await user.register({ email });
    expect(await user.call("POST", `${url(id)}/restore`, { as: admin })).toMatchObject({
      status: 409,
      body: { type: "EmailAlreadyExists" },
    });
  });

  it("can be erased", async () => {
    const { id } = await deleted();
    expect((await user.call("DELETE", url(id), { as: admin })).status).toBe(204);
    expect(await types(id)).toEqual(["user.registered", "user.deleted", "user.deleted"]);
  });
});

describe("DELETE /v1/admin/users/{id}", () => {
  it("deletes the row and leaves a tombstone, and no late event creates the user again", async () => {
    const { id } = await user.register();
    expect((await user.call("DELETE", url(id), { as: admin })).status).toBe(204);
    expect((await user.call("GET", url(id), { as: admin })).status).toBe(404);
    await user.publish(
      accountEvent("auth.account.deleted", id, 2, { soft: false }),
      accountEvent("auth.account.created", id, 1),
      accountEvent("auth.account.updated", id, 9),
    );
    await user.consumed();
    expect((await user.call("GET", url(id), { as: admin })).status).toBe(404);
    const tombstone = await user.db.selectFrom("tombstones").selectAll().where("id", "=", id).execute();
    expect(tombstone).toEqual([{ id, version: 2, deleted_at: expect.any(Date) }]);
    expect(await user.eventsOf(id)).toMatchObject([
      { type: "user.registered" },
      { type: "user.deleted", actor: admin.sub, data: { user_id: id, soft: false } },
    ]);
  });

  it("returns 404 for an unknown user", async () => {
    expect(await user.call("DELETE", url(newId()), { as: admin })).toMatchObject({
      status: 404,
      body: { type: "UserNotFound" },
    });
  });
});
