import { newId } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accountEvent, startUser, type UserFixture } from "../fixtures.ts";

const admin = { sub: newId(), sid: newId(), role: "admin" };

let user: UserFixture;
beforeAll(async () => {
  user = await startUser();
});
afterAll(() => user.stop());

const types = async (id: string) => (await user.announced(id)).map(({ type }) => type);
const url = (id: string) => `/v1/admin/users/${id}`;

describe("what happens when somebody comes to the admin's routes", () => {
  const routes = [
    ["GET", "/v1/admin/users?limit=nonsense"],
    ["POST", "/v1/admin/users"],
    ["GET", url(newId())],
    ["PATCH", url("no-uuid")],
    ["DELETE", url(newId())],
    ["POST", `${url(newId())}/restore`],
  ] as const;

  it.each(routes)(
    "%s %s is 401 for nobody and 403 for a user, before anything else is looked at",
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

describe("what happens when an admin creates a user", () => {
  it("every field is taken, on the admin's behalf", async () => {
    const email = `${newId()}@example.com`;
    const body = { email, password: "x", full_name: "Bob", role: "admin", is_active: false, is_verified: true };
    const answer = await user.call("POST", "/v1/admin/users", { as: admin, body });
    const { password: _, ...shown } = body;
    expect(answer).toMatchObject({ status: 201, body: { ...shown, is_deleted: false, deleted_at: null } });
    expect(user.auth.commands.at(-1)?.body).toMatchObject({
      password: "x",
      on_behalf_of: { sub: admin.sub, sid: admin.sid, token_version: 1 },
    });
    expect(await user.announced(answer.body.id)).toMatchObject([{ type: "user.registered", actor: admin.sub }]);
  });

  it("what is not said is a plain, active, unverified user", async () => {
    const body = { email: `${newId()}@example.com`, password: "x" };
    const answer = await user.call("POST", "/v1/admin/users", { as: admin, body });
    expect(answer.body).toMatchObject({ full_name: null, role: "user", is_active: true, is_verified: false });
  });
});

describe("what happens when an admin changes a user", () => {
  it("account and profile change together and are read back at once", async () => {
    const { id } = await user.register();
    const changes = { role: "admin", is_active: false, is_verified: true, full_name: "Carl" };
    const answer = await user.call("PATCH", url(id), { as: admin, body: { ...changes, password: "new" } });
    expect(answer).toMatchObject({ status: 200, body: changes });
    expect(user.auth.commands.at(-1)?.body).toEqual({
      role: "admin",
      is_active: false,
      is_verified: true,
      password: "new",
      on_behalf_of: { sub: admin.sub, sid: admin.sid, token_version: 1 },
    });
    expect((await user.call("GET", url(id), { as: admin })).body).toEqual(answer.body);
    expect(await types(id)).toEqual(["user.registered", "user.profile.updated"]);
  });

  it("nothing changed is no event, no version, and updated_at stays", async () => {
    const registered = await user.register();
    for (const body of [{}, { full_name: "Ann" }, { is_active: true, role: "user" }]) {
      const answer = await user.call("PATCH", url(registered.id), { as: admin, body });
      expect(answer).toMatchObject({ status: 200, body: registered });
    }
    expect(await types(registered.id)).toEqual(["user.registered"]);
  });

  it("what auth refuses comes through as it is", async () => {
    const { id } = await user.register();
    user.auth.breakNext({ kind: "answer", status: 409, type: "LastAdmin" });
    const answer = await user.call("PATCH", url(id), { as: admin, body: { role: "user", full_name: "Dora" } });
    expect(answer).toMatchObject({ status: 409, body: { type: "LastAdmin" } });
    expect(await types(id)).toEqual(["user.registered"]);
  });

  it("an unknown user and an unknown role are refused", async () => {
    for (const body of [{ is_active: true }, { full_name: "Nobody" }, {}])
      expect(await user.call("PATCH", url(newId()), { as: admin, body })).toMatchObject({
        status: 404,
        body: { type: "UserNotFound" },
      });
    const { id } = await user.register();
    expect((await user.call("PATCH", url(id), { as: admin, body: { role: "unknown" } })).status).toBe(422);
  });

  it("a user that is known by a later event only keeps the admin's name when its creation comes", async () => {
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

describe("what happens when an admin deals with a soft-deleted user", () => {
  async function deleted() {
    const registered = await user.register();
    const body = { password: "Secret123" };
    await user.call("DELETE", "/v1/users/me", { as: { sub: registered.id }, body });
    return registered;
  }

  it("it is seen, and not changed", async () => {
    const { id } = await deleted();
    expect(await user.call("GET", url(id), { as: admin })).toMatchObject({
      status: 200,
      body: { is_deleted: true, deleted_at: expect.stringMatching(/Z$/) },
    });
    for (const body of [{ is_active: false }, { full_name: "Gone" }, {}])
      expect(await user.call("PATCH", url(id), { as: admin, body })).toMatchObject({
        status: 404,
        body: { type: "UserNotFound" },
      });
  });

  it("it comes back, announced once; coming back again changes nothing", async () => {
    const { id } = await deleted();
    const answer = await user.call("POST", `${url(id)}/restore`, { as: admin });
    expect(answer).toMatchObject({ status: 200, body: { is_deleted: false, deleted_at: null } });
    await user.publish(accountEvent("auth.account.restored", id, 3));
    await user.consumed();
    expect(await user.call("POST", `${url(id)}/restore`, { as: admin })).toMatchObject({
      status: 200,
      body: answer.body,
    });
    expect(await types(id)).toEqual(["user.registered", "user.deleted", "user.restored"]);
  });

  it("it does not come back when its email is taken by now", async () => {
    const { id, email } = await deleted();
    await user.register({ email });
    expect(await user.call("POST", `${url(id)}/restore`, { as: admin })).toMatchObject({
      status: 409,
      body: { type: "EmailAlreadyExists" },
    });
  });

  it("it can be erased", async () => {
    const { id } = await deleted();
    expect((await user.call("DELETE", url(id), { as: admin })).status).toBe(204);
    expect(await types(id)).toEqual(["user.registered", "user.deleted", "user.deleted"]);
  });
});

describe("what happens when an admin erases a user", () => {
  it("the row goes, a tombstone stays, and no late event brings anybody back", async () => {
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
    expect(await user.announced(id)).toMatchObject([
      { type: "user.registered" },
      { type: "user.deleted", actor: admin.sub, data: { user_id: id, soft: false } },
    ]);
  });

  it("an unknown one is 404", async () => {
    expect(await user.call("DELETE", url(newId()), { as: admin })).toMatchObject({
      status: 404,
      body: { type: "UserNotFound" },
    });
  });
});
