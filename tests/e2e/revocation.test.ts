import { type RunningServices, startServices } from "@gatehouse/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  call,
  FIRST_ADMIN,
  login,
  loginAdmin,
  PASSWORD,
  type Person,
  problemOf,
  register,
  until,
} from "./support/api.ts";

/** Two gateways: the one that revokes, and one that never called auth about it and can know by the bus only. */
let system: RunningServices;
let here: string;
let there: string;
let admin: Person;
beforeAll(async () => {
  system = await startServices({ auth: FIRST_ADMIN, gateways: 2 });
  [here, there] = [system.gateways[0]?.url ?? "", system.gateways[1]?.url ?? ""];
  admin = await loginAdmin(here);
});
afterAll(() => system.stop());

const asAdmin = (method: string, user: Person, json?: object) =>
  call(here, method, `/v1/admin/users/${user.id}`, { token: admin.token, json });
const asUser = (method: string, path: string, user: Person, json?: object) =>
  call(here, method, path, { token: user.token, json });

/** What is done, and whether the user's sessions other than the one that did it end, too. */
const acts: [string, (user: Person, other: Person) => Promise<{ status: number }>, { othersEnd: boolean }][] = [
  ["logout with the bearer", (user) => asUser("POST", "/v1/auth/logout", user), { othersEnd: false }],
  [
    "logout with the cookie",
    (user) => call(here, "POST", "/v1/auth/logout", { cookie: user.cookie }),
    { othersEnd: false },
  ],
  ["logout everywhere", (user) => asUser("POST", "/v1/auth/logout-all", user), { othersEnd: true }],
  [
    "a password change",
    (user) =>
      asUser("POST", "/v1/auth/change-password", user, {
        current_password: PASSWORD,
        new_password: "Battery-Staple-2",
      }),
    { othersEnd: true },
  ],
  ["a password set by an admin", (user) => asAdmin("PATCH", user, { password: "x" }), { othersEnd: true }],
  ["deactivation", (user) => asAdmin("PATCH", user, { is_active: false }), { othersEnd: true }],
  ["another role", (user) => asAdmin("PATCH", user, { role: "admin" }), { othersEnd: true }],
  ["soft deletion", (user) => asUser("DELETE", "/v1/users/me", user, { password: PASSWORD }), { othersEnd: true }],
  ["hard deletion", (user) => asAdmin("DELETE", user), { othersEnd: true }],
  [
    "removal of the session by another one",
    (user, other) => asUser("DELETE", `/v1/auth/sessions/${user.sessionId}`, other),
    { othersEnd: false },
  ],
  [
    "a replayed refresh token",
    async (user) => {
      await call(here, "POST", "/v1/auth/refresh", { cookie: user.cookie });
      const replay = await call(here, "POST", "/v1/auth/refresh", { cookie: user.cookie });
      return { status: replay.status === 401 ? 204 : replay.status };
    },
    { othersEnd: false },
  ],
];

const me = (gateway: string, { token }: Person) => call(gateway, "GET", "/v1/users/me", { token });

describe.each(acts)("%s", (_name, act, { othersEnd }) => {
  it("ends the access token at every gateway and service, and the refresh token at once", async () => {
    const user = await register(here);
    const other = await login(there, user.email);
    expect([(await me(here, user)).status, (await me(there, other)).status]).toEqual([200, 200]);

    expect((await act(user, other)).status).toBeLessThan(300);
    expect((await call(there, "POST", "/v1/auth/refresh", { cookie: user.cookie })).status).toBe(401);
    for (const base of [here, there, system.user.url]) await until(async () => (await me(base, user)).status === 401);
    for (const base of [here, there, system.user.url])
      expect(problemOf(await me(base, user))).toEqual([401, "TokenRevokedError"]);
    expect(problemOf(await call(system.auth.url, "GET", "/v1/auth/sessions", { token: user.token }))).toEqual([
      401,
      "TokenRevokedError",
    ]);
    const refreshed = await call(here, "POST", "/v1/auth/refresh", { cookie: other.cookie });
    expect([(await me(there, other)).status, refreshed.status]).toEqual(othersEnd ? [401, 401] : [200, 200]);
  });
});

describe("a change of what a token does not speak of", () => {
  it.each([
    ["email", { email: "elsewhere@example.com" }],
    ["full_name", { full_name: "Somebody Else" }],
    ["is_verified", { is_verified: true }],
    ["the role it has", { role: "user" }],
  ])("ends nothing: %s", async (_what, changes) => {
    const user = await register(here);
    expect((await asAdmin("PATCH", user, changes)).status).toBe(200);
    // Something that does revoke, afterwards: once it has arrived, so has everything before it.
    const marker = await register(here);
    await asUser("POST", "/v1/auth/logout", marker);
    await until(async () => (await me(there, marker)).status === 401);
    expect((await me(there, user)).status).toBe(200);
    expect((await call(here, "POST", "/v1/auth/refresh", { cookie: user.cookie })).status).toBe(200);
  });
});

describe("a gateway that starts after a revocation", () => {
  it("refuses the token from its first answer on", async () => {
    const user = await register(here);
    await asUser("POST", "/v1/auth/logout", user);
    await system.gateways[1]?.restart();
    expect(problemOf(await me(there, user))).toEqual([401, "TokenRevokedError"]);
  });
});
