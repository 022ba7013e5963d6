import { newId, profileOf, timeOfId } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accountEvent, startUser, type UserFixture } from "../fixtures.ts";

let user: UserFixture;
beforeAll(async () => {
  user = await startUser();
});
afterAll(() => user.stop());

describe("POST /v1/users", () => {
  it("creates the account in auth and an equal user here", async () => {
    const email = `${newId()}@example.com`;
    const response = await user.call("POST", "/v1/users", {
      body: { email: ` ${email.toUpperCase()} `, password: "Secret123", full_name: " Ann " },
      headers: { "x-correlation-id": "corr-7" },
    });
    const { id } = response.body;
    expect(response).toMatchObject({ status: 201, headers: { "x-correlation-id": "corr-7" } });
    expect(response.body).toEqual({
      id,
      email,
      ...profileOf({ full_name: "Ann" }),
      role: "user",
      is_active: true,
      is_verified: false,
      created_at: timeOfId(id).toISOString(),
      updated_at: user.auth.accounts.get(id)?.updated_at,
    });
    expect(await user.eventsOf(id)).toMatchObject([
      { type: "user.registered", version: 1, correlationid: "corr-7", data: { user_id: id, email, full_name: "Ann" } },
    ]);
  });

  it("publishes the event to USER_EVENTS", async () => {
    const { id } = await user.register();
    await expect
      .poll(async () => {
        const rows = await user.db.selectFrom("outbox").select(["payload", "published_at"]).execute();
        return rows.find(({ payload }) => (payload as { subject?: string }).subject === id)?.published_at;
      })
      .toBeInstanceOf(Date);
  });

  it("stores null for an absent, null or blank name", async () => {
    for (const full_name of [undefined, null, "  "]) expect((await user.register({ full_name })).full_name).toBeNull();
  });

  it("ignores a bearer that does not verify", async () => {
    const body = { email: `${newId()}@example.com`, password: "Secret123" };
    const response = await user.call("POST", "/v1/users", { body, headers: { authorization: "Bearer stale" } });
    expect(response.status).toBe(201);
  });

  it.each([
    ["no email", { password: "Secret123" }],
    ["a malformed email", { email: "ann", password: "Secret123" }],
    ["a password without a digit", { email: "ann@example.com", password: "Secretive" }],
    ["a NUL character", { email: "ann@example.com", password: "Secret123", full_name: "A\0nn" }],
    ["a lone surrogate", { email: "ann@example.com", password: "Secret123", full_name: "\ud800" }],
    ["an admin field", { email: "ann@example.com", password: "Secret123", role: "admin" }],
  ])("rejects %s without a call to auth", async (_name, body) => {
    const before = user.auth.commands.length;
    const response = await user.call("POST", "/v1/users", { body });
    expect(response).toMatchObject({ status: 422, body: { type: "ValidationError" } });
    expect(user.auth.commands).toHaveLength(before);
  });
});

describe("a registration that fails or races", () => {
  it("returns 409 for a taken email and leaves no user", async () => {
    const { email } = await user.register();
    const response = await user.call("POST", "/v1/users", { body: { email, password: "Secret123" } });
    expect(response).toMatchObject({ status: 409, body: { type: "EmailAlreadyExists" } });
    const rows = await user.db.selectFrom("users").select("id").where("email", "=", email).execute();
    expect(rows).toHaveLength(1);
  });

  it("registers once when auth's event arrives before auth's response", async () => {
    user.auth.onCommitted(async ({ id, email }) => {
      await user.publish(accountEvent("auth.account.created", id, 1, { email, full_name: "Ann" }));
      await user.consumed();
    });
    const { id, full_name } = await user.register();
    user.auth.onCommitted(undefined);
    expect(full_name).toBe("Ann");
    expect((await user.eventsOf(id)).map(({ type }) => type)).toEqual(["user.registered"]);
  });

  it("registers once when event and response race", async () => {
    user.auth.onCommitted(({ id, email }) => user.publish(accountEvent("auth.account.created", id, 1, { email })));
    const registered = await Promise.all(Array.from({ length: 12 }, () => user.register()));
    user.auth.onCommitted(undefined);
    await user.consumed();
    for (const { id } of registered)
      expect((await user.eventsOf(id)).map(({ type }) => type)).toEqual(["user.registered"]);
  });

  it("completes from the event when the request died before its own commit", async () => {
    const id = newId();
    await user.publish(accountEvent("auth.account.created", id, 1, { full_name: "Ann" }));
    await user.consumed();
    const response = await user.call("GET", "/v1/users/me", { as: { sub: id } });
    const madeAt = timeOfId(id).toISOString();
    expect(response).toMatchObject({
      status: 200,
      body: { id, full_name: "Ann", created_at: madeAt, updated_at: madeAt },
    });
    expect((await user.eventsOf(id)).map(({ type }) => type)).toEqual(["user.registered"]);
  });

  it("leaves no user when an erasure arrives before auth's response", async () => {
    let erased = "";
    user.auth.onCommitted(async ({ id }) => {
      erased = id;
      await user.publish(accountEvent("auth.account.deleted", id, 2, { soft: false }));
      await user.consumed();
    });
    const body = { email: `${newId()}@example.com`, password: "Secret123" };
    const response = await user.call("POST", "/v1/users", { body });
    user.auth.onCommitted(undefined);
    expect(response).toMatchObject({ status: 404, body: { type: "UserNotFound" } });
    expect((await user.eventsOf(erased)).map(({ type }) => type)).toEqual(["user.deleted"]);
  });

  it("returns 503 with auth's Retry-After when auth is busy, and leaves no user", async () => {
    user.auth.breakNext({ kind: "error", status: 503, type: "ServiceUnavailable", retryAfter: 3 });
    const email = `${newId()}@example.com`;
    const response = await user.call("POST", "/v1/users", { body: { email, password: "Secret123" } });
    expect(response).toMatchObject({
      status: 503,
      headers: { "retry-after": "3" },
      body: { type: "ServiceUnavailable" },
    });
    const rows = await user.db.selectFrom("users").select("id").where("email", "=", email).execute();
    expect(rows).toEqual([]);
  });
});
