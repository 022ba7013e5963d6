import { newId } from "@gatehouse/contracts";
import { type RawBuilder, sql, type Transaction } from "kysely";
import type { LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuthTables } from "../../src/db/database.ts";
import { setPasswordHashIfUnchanged } from "../../src/repositories/accounts/account.repository.ts";
import { type AuthFixture, type LoggedIn, PASSWORD, problemOf, startAuth, waitUntilBlocked } from "../fixtures.ts";

/**
 * The races of docs/reference/design.md. A second connection holds a lock; the test waits until the requests wait for it,
 * then releases it, so the order of each race is certain.
 */
let auth: AuthFixture;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.stop());

/** Holds the lock that `take` takes while `meanwhile` starts its requests, and releases it afterwards. */
async function holding<T>(
  take: (trx: Transaction<AuthTables>) => Promise<unknown>,
  meanwhile: (trx: Transaction<AuthTables>) => Promise<T>,
): Promise<T> {
  return auth.db.transaction().execute(async (trx) => {
    await take(trx);
    return meanwhile(trx);
  });
}
const lockAccountRow = (id: string) => (trx: Transaction<AuthTables>) =>
  sql`select from accounts where id = ${id} for update`.execute(trx);
const lockSessionRow = (id: string) => (trx: Transaction<AuthTables>) =>
  sql`select from sessions where id = ${id} for update`.execute(trx);

const statuses = (responses: { statusCode: number }[]) => responses.map(({ statusCode }) => statusCode).toSorted();

describe("POST /v1/auth/refresh, simultaneous uses of one token", () => {
  it("rotates the token once; the other uses are replays and end the session", async () => {
    const user = await auth.user();
    const uses = await holding(lockSessionRow(user.sessionId), async () => {
      const started = Array.from({ length: 8 }, () => auth.refresh(user.refreshToken));
      await waitUntilBlocked(auth.db, 8);
      return { started };
    });
    const responses = await Promise.all(uses.started);
    expect(statuses(responses)).toEqual([200, 401, 401, 401, 401, 401, 401, 401]);
    expect(await auth.withToken(user.accessToken, "GET", "/v1/auth/sessions").then(problemOf)).toEqual([
      401,
      "TokenRevokedError",
    ]);
    const revoked = (await auth.eventsOf(user.userId)).filter(({ type }) => type === "auth.session.revoked");
    expect(revoked.map(({ data }) => data["reason"])).toEqual(["replay"]);
  });

  it("rotates the token once when fifty uses run without a lock", async () => {
    const user = await auth.user();
    const responses = await Promise.all(Array.from({ length: 50 }, () => auth.refresh(user.refreshToken)));
    expect(responses.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
    const { rows } = await sql<{ tokens: number }>`
      select count(*)::int as tokens from refresh_tokens where session_id = ${user.sessionId}`.execute(auth.db);
    expect(rows).toEqual([{ tokens: 2 }]);
  });
});

describe("POST /v1/auth/refresh, simultaneous revocation", () => {
  it("rejects a refresh when the revocation commits while it waits for the session", async () => {
    const user = await auth.user();
    const { pending } = await holding(
      (trx) => sql`update sessions set ended_at = now() where id = ${user.sessionId}`.execute(trx),
      async () => {
        const refresh = auth.refresh(user.refreshToken);
        await waitUntilBlocked(auth.db, 1);
        return { pending: refresh };
      },
    );
    expect(problemOf(await pending)).toEqual([401, "TokenRevokedError"]);
  });

  it("revokes the new tokens of a refresh that commits before the sessions end", async () => {
    const user = await auth.user();
    const { logout, refreshed } = await holding(lockAccountRow(user.userId), async () => {
      const logout = auth.withToken(user.accessToken, "POST", "/v1/auth/logout-all");
      await waitUntilBlocked(auth.db, 1);
      // A refresh does not wait for the account's lock.
      return { logout, refreshed: await auth.refresh(user.refreshToken) };
    });
    expect(refreshed.statusCode).toBe(200);
    expect((await logout).statusCode).toBe(204);
    const { access_token: late } = refreshed.json<{ access_token: string }>();
    expect(problemOf(await auth.withToken(late, "GET", "/v1/auth/sessions"))).toEqual([401, "TokenRevokedError"]);
    const successor = refreshed.cookies[0]?.value ?? "";
    expect(problemOf(await auth.refresh(successor))).toEqual([401, "TokenRevokedError"]);
  });
});

describe("POST /v1/auth/login, simultaneous change of the account", () => {
  /** Logs in and changes the account after the password is verified and before the session is inserted. */
  async function loginMeeting(user: LoggedIn, change: RawBuilder<unknown>) {
    const { pending } = await holding(
      (trx) => sql`update accounts set ${change} where id = ${user.userId}`.execute(trx),
      async () => {
        const login = auth.login(user.email);
        await waitUntilBlocked(auth.db, 1);
        return { pending: login };
      },
    );
    return pending;
  }
  const otherHash = (password: string) => auth.deps.services.hasher.hash(password);

  it("starts no session when the password has changed", async () => {
    const user = await auth.user();
    const changed = sql`token_version = token_version + 1, password_hash = ${await otherHash("Battery-Staple-2")}`;
    expect(problemOf(await loginMeeting(user, changed))).toEqual([401, "InvalidCredentials"]);
    expect((await sessionsOf(user.userId)).map(({ id }) => id)).toEqual([user.sessionId]);
  });

  it.each([
    ["the account was deactivated", sql`is_active = false, token_version = token_version + 1`, "InactiveUser"],
    ["the email has changed", sql`email = 'another-' || email, version = version + 1`, "InvalidCredentials"],
    ["the account was deleted", sql`deleted_at = now(), token_version = token_version + 1`, "InvalidCredentials"],
  ])("starts no session when %s", async (_what, change, error) => {
    const user = await auth.user();
    expect(problemOf(await loginMeeting(user, change))).toEqual([401, error]);
    expect((await sessionsOf(user.userId)).map(({ id }) => id)).toEqual([user.sessionId]);
  });

  it("succeeds with the new token_version when only the token_version has changed", async () => {
    const user = await auth.user();
    const response = await loginMeeting(user, sql`token_version = token_version + 1`);
    expect(response.statusCode).toBe(200);
    const { access_token: accessToken } = response.json<{ access_token: string }>();
    expect((await auth.withToken(accessToken, "GET", "/v1/auth/sessions")).statusCode).toBe(200);
  });

  it("succeeds when a simultaneous login has replaced the hash", async () => {
    const user = await auth.user();
    const response = await loginMeeting(user, sql`password_hash = ${await otherHash(PASSWORD)}`);
    expect(response.statusCode).toBe(200);
  });

  it("starts a session that a revocation waiting for the login ends", async () => {
    const user = await auth.user();
    await stopInsertsOfTokensAt("gate");
    const { login, logout } = await holding(
      (trx) => sql`select pg_advisory_xact_lock(hashtext('gate'))`.execute(trx),
      async () => {
        const login = auth.login(user.email);
        await waitUntilBlocked(auth.db, 1);
        const logout = auth.withToken(user.accessToken, "POST", "/v1/auth/logout-all");
        await waitUntilBlocked(auth.db, 2);
        return { login, logout };
      },
    );
    expect([(await login).statusCode, (await logout).statusCode]).toEqual([200, 204]);
    const sessions = await sessionsOf(user.userId);
    expect(sessions).toHaveLength(2);
    expect(sessions.every(({ ended_at }) => ended_at !== null)).toBe(true);
  });
});

describe("a command whose session ends before it runs", () => {
  const meeting = (user: LoggedIn, command: () => Promise<LightMyRequestResponse>) =>
    holding(
      (trx) => sql`update sessions set ended_at = now(), reason = 'logout' where id = ${user.sessionId}`.execute(trx),
      async () => {
        const pending = command();
        await waitUntilBlocked(auth.db, 1);
        return { pending };
      },
    );

  it("does not end the user's other sessions", async () => {
    const user = await auth.user();
    const other = await auth.loggedIn({ id: user.userId, email: user.email });
    const { pending } = await meeting(user, () => auth.withToken(user.accessToken, "POST", "/v1/auth/logout-all"));
    expect(problemOf(await pending)).toEqual([401, "TokenRevokedError"]);
    expect((await auth.refresh(other.refreshToken)).statusCode).toBe(200);
  });

  it("changes no account when the session was an admin's", async () => {
    const [admin, user] = [await auth.admin(), await auth.user()];
    const change = { is_active: false, on_behalf_of: auth.onBehalfOf(admin) };
    const { pending } = await meeting(admin, () => auth.internal("PATCH", `/internal/accounts/${user.userId}`, change));
    expect(problemOf(await pending)).toEqual([401, "TokenRevokedError"]);
    expect((await auth.refresh(user.refreshToken)).statusCode).toBe(200);
  });
});

describe("the last admin", () => {
  it("stays when the last two admins are deleted at once", async () => {
    await auth.db.updateTable("accounts").set({ role: "user" }).where("role", "=", "admin").execute();
    const [one, other] = [await auth.admin(), await auth.admin()];
    const leave = (admin: typeof one) =>
      auth.internal("POST", `/internal/accounts/${admin.userId}/delete`, {
        soft: false,
        on_behalf_of: auth.onBehalfOf(admin),
      });
    const { started } = await holding(
      (trx) => sql`select pg_advisory_xact_lock(hashtextextended('auth.last-admin', 0))`.execute(trx),
      async () => {
        const started = [leave(one), leave(other)];
        await waitUntilBlocked(auth.db, 2);
        return { started };
      },
    );
    const responses = await Promise.all(started);
    expect(statuses(responses)).toEqual([200, 409]);
    expect(problemOf(responses.find(({ statusCode }) => statusCode === 409)!)).toEqual([409, "LastAdmin"]);
  });

  it("stays when two admins demote each other at once; the demoted admin changes nothing", async () => {
    await auth.db.updateTable("accounts").set({ role: "user" }).where("role", "=", "admin").execute();
    const [one, other] = [await auth.admin(), await auth.admin()];
    const demote = (actor: typeof one, target: typeof one) =>
      auth.internal("PATCH", `/internal/accounts/${target.userId}`, {
        role: "user",
        on_behalf_of: auth.onBehalfOf(actor),
      });
    const responses = await Promise.all([demote(one, other), demote(other, one)]);
    expect(statuses(responses)).toEqual([200, 401]);
    const admins = await auth.db.selectFrom("accounts").select("id").where("role", "=", "admin").execute();
    expect(admins).toHaveLength(1);
  });
});

describe("POST /internal/accounts, simultaneous requests", () => {
  it("creates one account for one email with many ids", async () => {
    const email = auth.newEmail();
    const responses = await Promise.all(Array.from({ length: 10 }, () => auth.createAccount({ email })));
    expect(statuses(responses)).toEqual([201, ...Array<number>(9).fill(409)]);
    expect(responses.filter((response) => response.statusCode === 409).map(problemOf)).toEqual(
      Array<[number, string]>(9).fill([409, "EmailAlreadyExists"]),
    );
  });

  it("returns the same account to every request with one id and email, and writes one event", async () => {
    // Which unique index the second insert violates first varies.
    for (let round = 0; round < 20; round += 1) {
      const command = { id: newId(), email: auth.newEmail() };
      const responses = await Promise.all(Array.from({ length: 10 }, () => auth.createAccount(command)));
      expect(statuses(responses)).toEqual(Array<number>(10).fill(201));
      expect(new Set(responses.map(({ body }) => body)).size).toBe(1);
      expect((await auth.eventsOf(command.id)).map(({ type }) => type)).toEqual(["auth.account.created"]);
    }
  });

  it("rejects the id and email of an erased account", async () => {
    const admin = await auth.admin();
    const user = await auth.user();
    await auth.internal("POST", `/internal/accounts/${user.userId}/delete`, {
      soft: false,
      on_behalf_of: auth.onBehalfOf(admin),
    });
    expect(problemOf(await auth.createAccount({ id: user.userId, email: user.email }))).toEqual([409, "ConflictError"]);
    expect((await auth.login(user.email)).statusCode).toBe(401);
  });
});

describe("rehash at login, simultaneous password change", () => {
  it("does not replace the new password's hash", async () => {
    const user = await auth.user();
    const changed = await auth.withToken(user.accessToken, "POST", "/v1/auth/change-password", {
      current_password: "Correct-Horse-1",
      new_password: "Battery-Staple-2",
    });
    expect(changed.statusCode).toBe(204);
    expect(await setPasswordHashIfUnchanged(auth.db, user.userId, "the hash of before", "a stronger one")).toBe(false);
    expect((await auth.login(user.email, "Battery-Staple-2")).statusCode).toBe(200);
  });
});

/** Makes a login wait inside its statement, after it has locked the account, until the gate's lock is released. */
async function stopInsertsOfTokensAt(gate: string): Promise<void> {
  await sql`
    create function wait_at_gate() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock_shared(hashtext(${sql.lit(gate)})); return new; end $$`.execute(auth.db);
  await sql`
    create trigger wait_at_gate before insert on refresh_tokens
    for each row execute function wait_at_gate()`.execute(auth.db);
}

function sessionsOf(userId: string) {
  return auth.db
    .selectFrom("sessions")
    .select(["id", "ended_at"])
    .where("user_id", "=", userId)
    .orderBy("id")
    .execute();
}
