import { type RecordedTelemetry, recordTelemetry } from "@gatehouse/test-kit/telemetry";
import { newId } from "@gatehouse/contracts";
import { createEvent } from "@gatehouse/messaging";
import { openContext, runInContext } from "@gatehouse/observability";
import { SpanKind } from "@opentelemetry/api";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKeyService } from "../../src/services/keys/key.service.ts";
import { createLoginService } from "../../src/services/sessions/login.service.ts";
import { createPasswordHasher } from "../../src/services/passwords/password-hasher.ts";
import { type AuthFixture, type LoggedIn, PASSWORD, refreshCookieOf, startAuth } from "../fixtures.ts";

let recorded: RecordedTelemetry;
let auth: AuthFixture;
let admin: LoggedIn;
beforeAll(async () => {
  recorded = recordTelemetry();
  auth = await startAuth({ REFRESH_REUSE_GRACE_SECONDS: "10" });
  admin = await auth.admin();
});
afterAll(async () => {
  await auth.stop();
  await recorded.stop();
});

type Counts = Record<string, number>;

async function read(metric: string): Promise<Counts> {
  const points = await recorded.points(metric);
  return Object.fromEntries(points.map(({ attributes, value }) => [Object.values(attributes).join(), Number(value)]));
}

/** Returns how much a counter grows during `work`, by the value of its attribute. */
async function growth(metric: string, work: () => Promise<unknown>): Promise<Counts> {
  const before = await read(metric);
  await work();
  const after = Object.entries(await read(metric)).map(([value, now]) => [value, now - (before[value] ?? 0)] as const);
  return Object.fromEntries(after.filter(([, grown]) => grown > 0));
}

/** Runs `work` while the database rejects the statements of logins and refreshes. */
async function withoutTable(work: () => Promise<unknown>): Promise<void> {
  await sql`alter table refresh_tokens rename to refresh_tokens_hidden`.execute(auth.db);
  try {
    await work();
  } finally {
    await sql`alter table refresh_tokens_hidden rename to refresh_tokens`.execute(auth.db);
  }
}

async function patch(user: LoggedIn, changes: object): Promise<unknown> {
  return auth.internal("PATCH", `/internal/accounts/${user.userId}`, {
    ...changes,
    on_behalf_of: auth.onBehalfOf(admin),
  });
}

async function remove(user: LoggedIn, command: object, by: LoggedIn): Promise<unknown> {
  const payload = { ...command, on_behalf_of: auth.onBehalfOf(by) };
  return auth.internal("POST", `/internal/accounts/${user.userId}/delete`, payload);
}

async function rotateAndAge(user: LoggedIn): Promise<void> {
  await auth.refresh(user.refreshToken);
  await sql`update refresh_tokens set revoked_at = revoked_at - interval '11 seconds'
    where session_id = ${user.sessionId}`.execute(auth.db);
}

describe("gatehouse.logins", () => {
  it.each([
    ["succeeded", (user: LoggedIn) => auth.login(user.email)],
    ["invalid_credentials", (user: LoggedIn) => auth.login(user.email, "Wrong-1")],
    ["invalid_credentials", () => auth.login("nobody@example.com")],
    ["invalid_credentials", (user: LoggedIn) => auth.login(user.email, "x".repeat(129))],
    ["failed", (user: LoggedIn) => withoutTable(() => auth.login(user.email))],
  ])("counts the outcome %s", async (outcome, attempt) => {
    const user = await auth.user();
    expect(await growth("gatehouse.logins", () => attempt(user))).toEqual({ [outcome]: 1 });
  });

  it("counts a login to an inactive account as inactive", async () => {
    const user = await auth.user();
    await patch(user, { is_active: false });
    expect(await growth("gatehouse.logins", () => auth.login(user.email))).toEqual({ inactive: 1 });
  });

  it("counts a login without a free hashing slot as overloaded", async () => {
    const slow = { memoryKib: 65_536, timeCost: 3, parallelism: 1, concurrency: 1, maxWaitMs: 1 };
    const logins = createLoginService({
      db: auth.db,
      hasher: await createPasswordHasher(slow),
      accessTokens: auth.deps.services.accessTokens,
      relay: { wake: () => undefined },
      config: { refreshTokenSeconds: 60, sessionSeconds: 60 },
      now: () => new Date(),
    });
    const device = { deviceId: null, deviceName: null, ipAddress: null };
    const login = () => logins.login({ email: "nobody@example.com", password: PASSWORD, ...device });
    const twoAtOnce = () => growth("gatehouse.logins", () => Promise.allSettled([login(), login()]));
    let outcomes: Counts = {};
    const rejections = await growth("gatehouse.password.hash.rejections", async () => {
      outcomes = await twoAtOnce();
    });
    expect([outcomes, rejections]).toEqual([{ overloaded: 1, invalid_credentials: 1 }, { "": 1 }]);
  });
});

describe("gatehouse.refreshes", () => {
  it.each([
    ["rotated", (user: LoggedIn) => auth.refresh(user.refreshToken)],
    ["refused", () => auth.refresh("no token")],
    ["failed", (user: LoggedIn) => withoutTable(() => auth.refresh(user.refreshToken))],
  ])("counts the outcome %s", async (outcome, attempt) => {
    const user = await auth.user();
    expect(await growth("gatehouse.refreshes", () => attempt(user))).toEqual({ [outcome]: 1 });
  });

  it("counts a reuse within the grace as reused until the successor is used", async () => {
    const user = await auth.user();
    const successor = refreshCookieOf(await auth.refresh(user.refreshToken))?.value ?? "";
    const again = () => auth.refresh(user.refreshToken);
    expect(await growth("gatehouse.refreshes", again)).toEqual({ reused: 1 });
    await auth.refresh(successor);
    expect(await growth("gatehouse.refreshes", again)).toEqual({ refused: 1 });
  });

  it("counts one replay for each session", async () => {
    const user = await auth.user();
    await rotateAndAge(user);
    const again = () => auth.refresh(user.refreshToken);
    let outcomes: Counts = {};
    const replays = await growth("gatehouse.refresh.replays", async () => {
      outcomes = await growth("gatehouse.refreshes", () => Promise.all([again(), again(), again()]));
    });
    expect([outcomes, replays]).toEqual([{ replayed: 1, refused: 2 }, { "": 1 }]);
  });
});

describe("gatehouse.revocations", () => {
  const asUser = (user: LoggedIn, method: "POST" | "DELETE", url: string, payload?: object) =>
    auth.withToken(user.accessToken, method, url, payload);
  const newPassword = { current_password: PASSWORD, new_password: "Battery-Staple-2" };

  it.each<[string, (user: LoggedIn) => Promise<unknown>]>([
    ["logout", (user) => asUser(user, "POST", "/v1/auth/logout")],
    ["logout_all", (user) => asUser(user, "POST", "/v1/auth/logout-all")],
    ["password_changed", (user) => asUser(user, "POST", "/v1/auth/change-password", newPassword)],
    ["password_changed", (user) => patch(user, { password: "Battery-Staple-2" })],
    ["deactivated", (user) => patch(user, { is_active: false })],
    ["deactivated", (user) => patch(user, { is_active: false, role: "admin", password: "Battery-Staple-2" })],
    ["role_changed", (user) => patch(user, { role: "admin" })],
    ["deleted", (user) => remove(user, { soft: true, password: PASSWORD }, user)],
    ["deleted", (user) => remove(user, { soft: false }, admin)],
    ["removed", (user) => asUser(user, "DELETE", `/v1/auth/sessions/${user.sessionId}`)],
    ["replay", (user) => rotateAndAge(user).then(() => auth.refresh(user.refreshToken))],
  ])("counts the reason %s once", async (reason, act) => {
    const user = await auth.user();
    expect(await growth("gatehouse.revocations", () => act(user))).toEqual({ [reason]: 1 });
  });

  it("does not count the logout of an ended session", async () => {
    const user = await auth.user();
    const { sessions } = auth.deps.services;
    const logout = () => sessions.logout(user.sessionId);
    expect(await growth("gatehouse.revocations", logout)).toEqual({ logout: 1 });
    expect(await growth("gatehouse.revocations", logout)).toEqual({});
  });

  it("counts the retirement of a key", async () => {
    const { database, services, config } = auth.deps;
    let time = Date.now();
    const deps = { database, transact: services.transact, config: config.tokens, now: () => new Date(time) };
    const keys = createKeyService(deps);
    await keys.rotate();
    time += 86_400_000;
    expect(await growth("gatehouse.revocations", () => keys.retireSuperseded())).toEqual({ key_retired: 1 });
  });

  it("counts neither a change that revokes nothing nor the erasure of a deleted account", async () => {
    const user = await auth.user();
    await remove(user, { soft: true, password: PASSWORD }, user);
    await auth.db
      .updateTable("accounts")
      .set({ deleted_at: new Date(0) })
      .where("id", "=", user.userId)
      .execute();
    const revokesNothing = async () => {
      await patch(await auth.user(), { is_verified: true });
      expect(await auth.deps.services.deletions.eraseExpired(10)).toBe(1);
    };
    expect(await growth("gatehouse.revocations", revokesNothing)).toEqual({});
  });

  it("does not count a rolled-back transaction and counts a retried one once", async () => {
    const { transact } = auth.deps.services;
    const kid = newId();
    const event = () => createEvent({ source: "auth", type: "auth.key.retired", subject: kid, data: { kid } });
    const rolledBack = () =>
      transact(async (_trx, emit) => {
        emit(event());
        throw new Error("no");
      });
    expect(await growth("gatehouse.revocations", () => expect(rolledBack()).rejects.toThrow("no"))).toEqual({});
    let attempts = 0;
    const repeated = () =>
      transact(async (_trx, emit) => {
        emit(event());
        if ((attempts += 1) < 3) throw Object.assign(new Error("deadlock"), { code: "40P01" });
      });
    expect(await growth("gatehouse.revocations", repeated)).toEqual({ key_retired: 1 });
    expect(attempts).toBe(3);
  });
});

describe("gatehouse.password.hash.*", () => {
  const count = async (metric: string, operation?: string) => {
    const points = await recorded.points(metric);
    const own = points.filter(({ attributes }) => attributes["operation"] === operation);
    return own.reduce((sum, { value }) => sum + (value as { count: number }).count, 0);
  };
  const counts = () =>
    Promise.all([
      count("gatehouse.password.hash.duration", "hash"),
      count("gatehouse.password.hash.duration", "verify"),
      count("gatehouse.password.hash.wait"),
    ]);

  it("measures the operation and its wait separately, also in its span", async () => {
    const before = await counts();
    recorded.clear();
    const hasher = await createPasswordHasher({
      memoryKib: 8_192,
      timeCost: 1,
      parallelism: 1,
      concurrency: 1,
      maxWaitMs: 60_000,
    });
    const span = { name: "POST /", kind: SpanKind.SERVER };
    await runInContext(openContext({ correlationId: "a", traceparent: undefined, span }), async () => {
      const passwordHash = await hasher.hash(PASSWORD);
      await Promise.all([hasher.verify(passwordHash, PASSWORD), hasher.verify(undefined, PASSWORD)]);
    });
    expect((await counts()).map((value, index) => value - (before[index] ?? 0))).toEqual([1, 2, 3]);
    const spans = recorded.spans();
    expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
      ["hash password", SpanKind.INTERNAL],
      ["verify password", SpanKind.INTERNAL],
      ["verify password", SpanKind.INTERNAL],
    ]);
    const waits = spans.map(({ attributes }) => Number(attributes["gatehouse.password.hash.wait"]));
    expect(Math.max(...waits.slice(0, 2))).toBeLessThan(waits[2] ?? 0);
    expect(spans.flatMap(({ attributes }) => Object.keys(attributes))).toHaveLength(3);
  });
});
