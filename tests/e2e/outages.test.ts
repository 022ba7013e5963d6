import { type RunningServices, startServices } from "@gatehouse/test-kit";
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
  until,
} from "@gatehouse/test-kit/api";

/** The table in docs/reference/design.md of what works while a part is down. Each part is back before the next one stops. */
let system: RunningServices;
let base: string;
let admin: Person;
beforeAll(async () => {
  system = await startServices({ auth: FIRST_ADMIN, environment: { REVOCATION_MAX_STALENESS_SECONDS: "2" } });
  base = system.url;
  admin = await loginAdmin(base);
});
afterAll(() => system.stop());

const me = ({ token }: Person) => call(base, "GET", "/v1/users/me", { token });
const detailed = () => call(base, "GET", "/health/detailed");
const unavailable = [503, "ServiceUnavailable"];

describe("without Redis", () => {
  it("everything works and health is degraded", async () => {
    await system.redis?.stop();
    const user = await register(base);
    expect((await me(user)).status).toBe(200);
    await until(async () => (await detailed()).body["status"] === "degraded");
    expect(await detailed()).toMatchObject({ status: 200, body: { redis: "degraded", auth: "healthy" } });
    await system.redis?.start();
    await until(async () => (await detailed()).body["status"] === "healthy");
  });
});

describe("without NATS", () => {
  it("users log in and out, introspection rejects revoked tokens, and events arrive after recovery", async () => {
    const user = await register(base);
    await system.bus.stop();
    const fresh = await register(base);
    expect((await call(base, "POST", "/v1/auth/refresh", { cookie: fresh.cookie })).status).toBe(200);
    expect(
      (await call(base, "PATCH", `/v1/admin/users/${fresh.id}`, { token: admin.token, json: { is_verified: true } }))
        .status,
    ).toBe(200);
    expect((await call(base, "POST", "/v1/auth/logout-all", { token: user.token })).status).toBe(204);
    await until(async () => (await me(user)).status === 401);
    expect(problemOf(await me(user))).toEqual([401, "TokenRevokedError"]);
    expect((await me(fresh)).status).toBe(200);
    // Introspection answers are cached for one second.
    await expect.poll(detailed).toMatchObject({ status: 503, body: { nats: "unhealthy", database: "healthy" } });

    await system.bus.start();
    await until(async () => (await detailed()).body["status"] === "healthy");
    await call(base, "POST", "/v1/auth/logout", { token: fresh.token });
    await until(async () => (await me(fresh)).status === 401);
    expect(problemOf(await me(user)), "what was refused once stays refused").toEqual([401, "TokenRevokedError"]);
  });

  it("a gateway starts and serves", async () => {
    const user = await register(base);
    await system.bus.stop();
    await system.gateways[0]?.restart();
    expect((await me(user)).status).toBe(200);
    await system.bus.start();
  });
});

describe("without auth", () => {
  it("valid tokens read, everything that auth decides is 503 with Retry-After, and no partial user remains", async () => {
    // Auth publishes no watermarks while it is down. The views of this test stay current for as long as it runs.
    const patient = { REVOCATION_MAX_STALENESS_SECONDS: "60" };
    await Promise.all([system.user.restart(patient), system.gateways[0]?.restart(patient)]);
    const user = await register(base);
    await system.auth.stop();
    expect((await me(user)).status).toBe(200);
    const email = newEmail();
    const attempts = [
      call(base, "POST", "/v1/auth/login", { form: { username: user.email, password: PASSWORD } }),
      call(base, "POST", "/v1/auth/refresh", { cookie: user.cookie }),
      call(base, "POST", "/v1/users", { json: { email, password: PASSWORD } }),
      call(base, "PATCH", `/v1/admin/users/${user.id}`, { token: admin.token, json: { is_active: false } }),
      call(base, "DELETE", "/v1/users/me", { token: user.token, json: { password: PASSWORD } }),
    ];
    for (const attempt of attempts) {
      const answer = await attempt;
      expect(problemOf(answer)).toEqual(unavailable);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      const id = answer.headers.get("x-correlation-id");
      const lines = () => system.gateways[0]?.logs().filter((line) => line.includes(`"correlation_id":"${id}"`));
      await expect.poll(lines).toHaveLength(1);
      expect(JSON.parse(lines()?.[0] ?? "")).toMatchObject({ level: "warn", msg: "request", status: 503 });
    }
    const listed = await call(base, "GET", `/v1/admin/users?q=${email}`, { token: admin.token });
    expect(listed.body).toMatchObject({ total: 0 });
    await expect.poll(detailed).toMatchObject({ status: 503, body: { auth: "unhealthy", user: "healthy" } });
    await system.auth.start();
    expect((await call(base, "POST", "/v1/users", { json: { email, password: PASSWORD } })).status).toBe(201);
    expect((await call(base, "POST", "/v1/auth/refresh", { cookie: user.cookie })).status).toBe(200);
  });
});

describe("without the user service", () => {
  it("login, refresh and logout work; profiles are 503", async () => {
    const user = await register(base);
    await system.user.stop();
    const again = await login(base, user.email);
    expect((await call(base, "POST", "/v1/auth/refresh", { cookie: again.cookie })).status).toBe(200);
    expect((await call(base, "POST", "/v1/auth/logout", { token: again.token })).status).toBe(204);
    expect(problemOf(await me(user))).toEqual(unavailable);
    await system.user.start();
    expect((await me(user)).status).toBe(200);
  });

  it("creates the user from the event after auth created the account", async () => {
    const email = newEmail();
    await system.user.stop();
    const id = "01930000-0000-7000-8000-0000000000aa";
    const created = await call(system.auth.url, "POST", "/internal/accounts", {
      token: system.secrets.INTERNAL_API_TOKEN,
      json: {
        id,
        email,
        password: PASSWORD,
        full_name: "From the event",
        role: "user",
        is_active: true,
        is_verified: false,
        on_behalf_of: null,
      },
    });
    expect(created.status).toBe(201);
    await system.user.start();
    const user = await login(base, email);
    await until(async () => (await me(user)).status === 200);
    expect((await me(user)).body).toMatchObject({ id, email, full_name: "From the event" });
  });
});
