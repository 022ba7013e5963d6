import { newId, timeOfId } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accountEvent, startUser, type UserFixture } from "../fixtures.ts";

let user: UserFixture;
beforeAll(async () => {
  user = await startUser();
});
afterAll(() => user.stop());

describe("what happens when somebody registers", () => {
  it("the account is made at auth, the user here, and both answer the same", async () => {
    const email = `${newId()}@example.com`;
    const answer = await user.call("POST", "/v1/users", {
      body: { email: ` ${email.toUpperCase()} `, password: "Secret123", full_name: " Ann " },
      headers: { "x-correlation-id": "corr-7" },
    });
    const { id } = answer.body;
    expect(answer).toMatchObject({ status: 201, headers: { "x-correlation-id": "corr-7" } });
    expect(answer.body).toEqual({
      id,
      email,
      full_name: "Ann",
      role: "user",
      is_active: true,
      is_verified: false,
      created_at: timeOfId(id).toISOString(),
      updated_at: user.auth.accounts.get(id)?.updated_at,
    });
    expect(await user.announced(id)).toMatchObject([
      { type: "user.registered", version: 1, correlationid: "corr-7", data: { user_id: id, email, full_name: "Ann" } },
    ]);
  });

  it("the event reaches USER_EVENTS", async () => {
    const { id } = await user.register();
    await expect
      .poll(async () => {
        const rows = await user.db.selectFrom("outbox").select(["payload", "published_at"]).execute();
        return rows.find(({ payload }) => (payload as { subject?: string }).subject === id)?.published_at;
      })
      .toBeInstanceOf(Date);
  });

  it("a name that is absent, null or blank is none", async () => {
    for (const full_name of [undefined, null, "  "]) expect((await user.register({ full_name })).full_name).toBeNull();
  });

  it("a bearer that does not verify is not looked at", async () => {
    const body = { email: `${newId()}@example.com`, password: "Secret123" };
    const answer = await user.call("POST", "/v1/users", { body, headers: { authorization: "Bearer stale" } });
    expect(answer.status).toBe(201);
  });

  it.each([
    ["no email", { password: "Secret123" }],
    ["an email that is none", { email: "ann", password: "Secret123" }],
    ["a password without a digit", { email: "ann@example.com", password: "Secretive" }],
    ["a NUL character", { email: "ann@example.com", password: "Secret123", full_name: "A\0nn" }],
    ["a lone surrogate", { email: "ann@example.com", password: "Secret123", full_name: "\ud800" }],
    ["a field that is not for everybody", { email: "ann@example.com", password: "Secret123", role: "admin" }],
  ])("%s is refused and nothing is sent to auth", async (_name, body) => {
    const before = user.auth.commands.length;
    const answer = await user.call("POST", "/v1/users", { body });
    expect(answer).toMatchObject({ status: 422, body: { type: "ValidationError" } });
    expect(user.auth.commands).toHaveLength(before);
  });
});

describe("what happens when a registration does not go smoothly", () => {
  it("a taken email is 409 and leaves no user", async () => {
    const { email } = await user.register();
    const answer = await user.call("POST", "/v1/users", { body: { email, password: "Secret123" } });
    expect(answer).toMatchObject({ status: 409, body: { type: "EmailAlreadyExists" } });
    const rows = await user.db.selectFrom("users").select("id").where("email", "=", email).execute();
    expect(rows).toHaveLength(1);
  });

  it("auth's event that overtakes auth's answer makes the row, and it is registered once", async () => {
    user.auth.onCommitted(async ({ id, email }) => {
      await user.publish(accountEvent("auth.account.created", id, 1, { email, full_name: "Ann" }));
      await user.consumed();
    });
    const { id, full_name } = await user.register();
    user.auth.onCommitted(undefined);
    expect(full_name).toBe("Ann");
    expect((await user.announced(id)).map(({ type }) => type)).toEqual(["user.registered"]);
  });

  it("event and answer that race register once", async () => {
    user.auth.onCommitted(({ id, email }) => user.publish(accountEvent("auth.account.created", id, 1, { email })));
    const registered = await Promise.all(Array.from({ length: 12 }, () => user.register()));
    user.auth.onCommitted(undefined);
    await user.consumed();
    for (const { id } of registered)
      expect((await user.announced(id)).map(({ type }) => type)).toEqual(["user.registered"]);
  });

  it("the user is made by the event when the request died in between", async () => {
    const id = newId();
    await user.publish(accountEvent("auth.account.created", id, 1, { full_name: "Ann" }));
    await user.consumed();
    const answer = await user.call("GET", "/v1/users/me", { as: { sub: id } });
    const madeAt = timeOfId(id).toISOString();
    expect(answer).toMatchObject({
      status: 200,
      body: { id, full_name: "Ann", created_at: madeAt, updated_at: madeAt },
    });
    expect((await user.announced(id)).map(({ type }) => type)).toEqual(["user.registered"]);
  });

  it("an erasure that overtakes auth's answer leaves nobody", async () => {
    let erased = "";
    user.auth.onCommitted(async ({ id }) => {
      erased = id;
      await user.publish(accountEvent("auth.account.deleted", id, 2, { soft: false }));
      await user.consumed();
    });
    const body = { email: `${newId()}@example.com`, password: "Secret123" };
    const answer = await user.call("POST", "/v1/users", { body });
    user.auth.onCommitted(undefined);
    expect(answer).toMatchObject({ status: 404, body: { type: "UserNotFound" } });
    expect((await user.announced(erased)).map(({ type }) => type)).toEqual(["user.deleted"]);
  });

  it("auth too busy is 503 with auth's own Retry-After, and no user", async () => {
    user.auth.breakNext({ kind: "answer", status: 503, type: "ServiceUnavailable", retryAfter: 3 });
    const email = `${newId()}@example.com`;
    const answer = await user.call("POST", "/v1/users", { body: { email, password: "Secret123" } });
    expect(answer).toMatchObject({
      status: 503,
      headers: { "retry-after": "3" },
      body: { type: "ServiceUnavailable" },
    });
    const rows = await user.db.selectFrom("users").select("id").where("email", "=", email).execute();
    expect(rows).toEqual([]);
  });
});
