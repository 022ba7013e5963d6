import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createEvent } from "@gatehouse/messaging";
import { sql } from "kysely";
import { onProfileUpdated } from "../../src/events/profile-updated.handler.ts";
import { findAccountByEmail } from "../../src/repositories/accounts/account.repository.ts";
import { ensureFirstAdmin } from "../../src/services/accounts/first-admin.service.ts";
import { type AuthFixture, startAuth } from "../fixtures.ts";

let auth: AuthFixture;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.stop());

describe("the first admin", () => {
  const ensure = (email: string) =>
    ensureFirstAdmin(
      { ...auth.deps.services, db: auth.db, logger: auth.deps.logger },
      { email, password: "First-Admin-1" },
    );

  it("does not promote an account that a user registered", async () => {
    const user = await auth.user();
    await ensure(user.email);
    expect(await findAccountByEmail(auth.db, user.email)).toMatchObject({ role: "user" });
  });

  it("is created once when several replicas start at the same time", async () => {
    await Promise.all(["a@example.com", "b@example.com", "c@example.com"].map(ensure));
    const admins = await auth.db.selectFrom("accounts").select("id").where("role", "=", "admin").execute();
    expect(admins).toHaveLength(1);
    expect(await auth.eventsOf(admins[0]?.id ?? "")).toMatchObject([
      { type: "auth.account.created", data: { role: "admin" } },
    ]);
    await ensure("d@example.com");
    expect(await findAccountByEmail(auth.db, "d@example.com")).toBeUndefined();
  });
});

describe("cleanUpTokens", () => {
  it("deletes expired tokens in batches and then sessions without tokens, and keeps live sessions", async () => {
    const [old, live] = [await auth.user(), await auth.user()];
    await sql`insert into refresh_tokens (id, session_id, user_id, token_hash, expires_at)
      select gen_random_uuid(), ${old.sessionId}, ${old.userId}, sha256(i::text::bytea), now() - interval '1 s'
      from generate_series(1, 1200) i`.execute(auth.db);
    await sql`update refresh_tokens set expires_at = now() where session_id = ${old.sessionId}`.execute(auth.db);
    const [one, other] = await Promise.all([
      auth.deps.services.maintenance.cleanUpTokens(),
      auth.deps.services.maintenance.cleanUpTokens(),
    ]);
    const again = await auth.deps.services.maintenance.run();
    expect(one.expiredTokens + other.expiredTokens + again.expiredTokens).toBe(1201);
    const sessions = await auth.db
      .selectFrom("sessions")
      .select("id")
      .where("id", "in", [old.sessionId, live.sessionId])
      .execute();
    expect(sessions).toEqual([{ id: live.sessionId }]);
    expect((await auth.refresh(live.refreshToken)).statusCode).toBe(200);
  });
});

describe("the profile that login returns", () => {
  it("has the newest profile of the user service's events in any order of arrival", async () => {
    const user = await auth.user();
    const renamed = (full_name: string | null, version: number) =>
      onProfileUpdated(auth.db)(
        createEvent({
          source: "user",
          type: "user.profile.updated",
          subject: user.userId,
          version,
          data: { user_id: user.userId, full_name, changed: ["full_name"] },
        }),
      );
    await renamed("Third", 3);
    await renamed("Second", 2);
    await renamed("Third", 3);
    expect((await auth.login(user.email)).json()).toMatchObject({ user: { full_name: "Third" } });
    expect(await findAccountByEmail(auth.db, user.email)).toMatchObject({ version: 1 });
    await renamed(null, 4);
    expect((await auth.login(user.email)).json()).toMatchObject({ user: { full_name: null } });
  });
});

describe("GET /health/ready", () => {
  it("is ready after startup, although NATS is unavailable, and reports both checks", async () => {
    expect((await auth.app.inject("/health")).json()).toEqual({ status: "healthy" });
    const ready = await auth.app.inject("/health/ready");
    expect(ready.statusCode).toBe(200);
    expect(ready.json()).toEqual({ status: "ready", checks: { database: "healthy", nats: "unhealthy" } });
  });
});
