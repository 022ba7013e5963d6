import { profileOf } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  call,
  FIRST_ADMIN,
  login,
  loginAdmin,
  newEmail,
  PASSWORD,
  type Person,
  problemOf,
  register,
} from "@gatehouse/test-kit/api";
import { isElsewhere, openSystem, type System } from "./support/system.ts";

let system: System;
let base: string;
let admin: Person;
beforeAll(async () => {
  // A gateway with two workers, which must answer alike.
  system = await openSystem({ gateway: { WEB_CONCURRENCY: "2" } });
  base = system.url;
  admin = await loginAdmin(base);
});
afterAll(() => system.stop());

const me = (token: string) => call(base, "GET", "/v1/users/me", { token });

describe("a user", () => {
  it("registers, logs in, reads and changes the profile, and reads the change", async () => {
    const email = newEmail();
    const created = await call(base, "POST", "/v1/users", {
      json: { email: ` ${email.toUpperCase()} `, password: PASSWORD, full_name: "  Ada " },
    });
    expect(created.status).toBe(201);
    expect(Object.keys(created.body)).toEqual([
      "id",
      "email",
      ...Object.keys(profileOf({})),
      "is_active",
      "is_verified",
      "role",
      "created_at",
      "updated_at",
    ]);
    expect(created.body).toMatchObject({ email, full_name: "Ada", role: "user", is_active: true, is_verified: false });

    const user = await login(base, email);
    expect((await me(user.token)).body).toEqual(created.body);
    expect((await call(base, "GET", "/v1/auth/me", { token: user.token })).body).toEqual(created.body);
    const moved = newEmail();
    const changed = await call(base, "PATCH", "/v1/users/me", {
      token: user.token,
      json: { full_name: "Ada Lovelace", email: moved },
    });
    expect(changed).toMatchObject({ status: 200, body: { full_name: "Ada Lovelace", email: moved } });
    expect((await me(user.token)).body).toEqual(changed.body);
    expect((await call(base, "PATCH", "/v1/users/me", { token: user.token, json: {} })).body).toEqual(changed.body);
    expect(
      problemOf(await call(base, "POST", "/v1/auth/login", { form: { username: email, password: PASSWORD } })),
    ).toEqual([401, "InvalidCredentials"]);
    expect((await login(base, moved)).id).toBe(user.id);
  });

  it("rotates the refresh token; a replay ends the family", async () => {
    const user = await register(base);
    const first = await call(base, "POST", "/v1/auth/refresh", { cookie: user.cookie });
    expect(first.status).toBe(200);
    const replay = await call(base, "POST", "/v1/auth/refresh", { cookie: user.cookie });
    expect([problemOf(replay), replay.cookie]).toEqual([[401, "TokenRevokedError"], ""]);
    expect(problemOf(await call(base, "POST", "/v1/auth/refresh", { cookie: first.cookie }))).toEqual([
      401,
      "TokenRevokedError",
    ]);
  });

  it("shows others only the name", async () => {
    const [user, other] = [await register(base, { full_name: "Ada" }), await register(base)];
    const seen = await call(base, "GET", `/v1/users/${user.id}`, { token: other.token });
    expect(seen.body).toEqual({ id: user.id, full_name: "Ada", created_at: expect.any(String) });
    const own = await call(base, "GET", `/v1/users/${user.id}`, { token: user.token });
    expect(own.body).toMatchObject({ email: user.email });
    const byAdmin = await call(base, "GET", `/v1/users/${user.id}`, { token: admin.token });
    expect(byAdmin.body).toEqual(own.body);
  });

  it("deletes the account: tokens and login are rejected, the email is free, an admin can restore it", async () => {
    const user = await register(base);
    const remove = (password: string) =>
      call(base, "DELETE", "/v1/users/me", { token: user.token, json: { password } });
    expect(problemOf(await remove("Wrong-Password-1"))).toEqual([401, "InvalidCredentials"]);
    const removed = await remove(PASSWORD);
    expect([removed.status, removed.cookie]).toEqual([204, ""]);
    const attempt = await call(base, "POST", "/v1/auth/login", { form: { username: user.email, password: PASSWORD } });
    expect(problemOf(attempt)).toEqual([401, "InvalidCredentials"]);
    expect(problemOf(await call(base, "GET", `/v1/users/${user.id}`, { token: admin.token }))).toEqual([
      404,
      "UserNotFound",
    ]);
    const asAdmin = (method: string, path = "") =>
      call(base, method, `/v1/admin/users/${user.id}${path}`, { token: admin.token });
    expect((await asAdmin("GET")).body).toMatchObject({ is_deleted: true, deleted_at: expect.any(String) });
    expect((await asAdmin("POST", "/restore")).body).toMatchObject({ is_deleted: false, deleted_at: null });
    expect((await login(base, user.email)).id).toBe(user.id);
  });
});

describe("an admin", () => {
  it("creates, lists, changes and deletes users", async () => {
    const email = newEmail();
    const created = await call<{ id: string }>(base, "POST", "/v1/admin/users", {
      token: admin.token,
      json: { email, password: "x", full_name: "Grace", role: "admin", is_verified: true },
    });
    expect(created).toMatchObject({
      status: 201,
      body: { email, role: "admin", is_verified: true, is_deleted: false },
    });
    const { id } = created.body;
    const second = await login(base, email, "x");
    const found = await call<{ items: { id: string }[] }>(base, "GET", `/v1/admin/users?q=${email.toUpperCase()}`, {
      token: second.token,
    });
    expect(found.body).toMatchObject({ items: [{ id }], total: 1, total_exact: true, next_cursor: null });

    const patch = (json: object) => call(base, "PATCH", `/v1/admin/users/${id}`, { token: admin.token, json });
    expect((await patch({ role: "user", full_name: null, is_active: false })).body).toMatchObject({
      role: "user",
      full_name: null,
      is_active: false,
    });
    const attempt = await call(base, "POST", "/v1/auth/login", { form: { username: email, password: "x" } });
    expect(problemOf(attempt)).toEqual([401, "InactiveUser"]);
    const path = `/v1/admin/users/${id}`;
    expect((await call(base, "DELETE", path, { token: admin.token })).status).toBe(204);
    expect(problemOf(await call(base, "GET", path, { token: admin.token }))).toEqual([404, "UserNotFound"]);
    expect(problemOf(await call(base, "DELETE", path, { token: admin.token }))).toEqual([404, "UserNotFound"]);
  });

  it("pages by cursor through every user once", async () => {
    await Promise.all(Array.from({ length: 7 }, () => register(base)));
    type Page = { items: { id: string }[]; total: number; next_cursor: string | null };
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "?limit=3" : `?limit=3&cursor=${cursor}`;
      const page: Page = (await call<Page>(base, "GET", `/v1/admin/users${query}`, { token: admin.token })).body;
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    const all = await call<Page>(base, "GET", "/v1/admin/users", { token: admin.token });
    expect(seen).toEqual(all.body.items.map(({ id }) => id));
    expect(seen).toEqual(seen.toSorted().toReversed());
    expect(new Set(seen).size).toBe(all.body.total);
  });

  it("cannot remove the last admin, not even oneself", async () => {
    const path = `/v1/admin/users/${admin.id}`;
    const attempts = [
      call(base, "PATCH", path, { token: admin.token, json: { role: "user" } }),
      call(base, "PATCH", path, { token: admin.token, json: { is_active: false } }),
      call(base, "DELETE", path, { token: admin.token }),
      call(base, "DELETE", "/v1/users/me", {
        token: admin.token,
        json: { password: FIRST_ADMIN.FIRST_ADMIN_PASSWORD },
      }),
    ];
    for (const attempt of attempts) expect(problemOf(await attempt)).toEqual([409, "LastAdmin"]);
    expect((await me(admin.token)).body).toMatchObject({ role: "admin", is_active: true });
  });
});

it.skipIf(isElsewhere)("the gateway › serves by both workers, not by their supervisor", () => {
  const { gateways = [] } = system.services ?? {};
  const lines = gateways.flatMap(({ logs }) => logs()).filter((line) => line.includes(`"msg":"request"`));
  const pids = new Set(lines.map((line) => (JSON.parse(line) as { pid: number }).pid));
  expect(pids.size).toBe(2);
  expect(pids).not.toContain(gateways[0]?.pid());
});

describe("simultaneous registrations of one email", () => {
  it("create one user; the others get 409", async () => {
    const email = newEmail();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => call(base, "POST", "/v1/users", { json: { email, password: PASSWORD } })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array<number>(7).fill(409)]);
    expect(answers.filter(({ status }) => status === 409).map(problemOf)).toEqual(
      Array<unknown>(7).fill([409, "EmailAlreadyExists"]),
    );
  });
});
