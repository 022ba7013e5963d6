import { profileOf } from "@gatehouse/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { findAccount } from "../../src/repositories/accounts/account.repository.ts";
import { createPasswordHasher } from "../../src/services/passwords/password-hasher.ts";
import { type AuthFixture, PASSWORD, problemOf, refreshCookieOf, startAuth } from "../fixtures.ts";

let auth: AuthFixture;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.stop());

const form = (fields: Record<string, string>, type = "application/x-www-form-urlencoded") =>
  auth.app.inject({
    method: "POST",
    url: "/v1/auth/login",
    headers: { "content-type": type },
    payload: new URLSearchParams(fields).toString(),
  });

describe("POST /v1/auth/login with the right password", () => {
  it("returns an access token (RFC 9068), the user and the refresh cookie", async () => {
    const created = await auth.createAccount({ full_name: "Ada" });
    const { id, email } = created.json<{ id: string; email: string }>();
    const response = await auth.login(email.toUpperCase(), PASSWORD, { device_name: " phone " });
    expect(response.statusCode).toBe(200);
    const body = response.json<{ access_token: string; user: object }>();
    expect(body).toMatchObject({ token_type: "bearer", expires_in: 900 });
    expect(body.user).toEqual({
      id,
      email,
      ...profileOf({ full_name: "Ada" }),
      is_active: true,
      is_verified: false,
      role: "user",
      created_at: created.json<{ created_at: string }>().created_at,
      updated_at: created.json<{ updated_at: string }>().updated_at,
    });
    expect(decodeProtectedHeader(body.access_token)).toMatchObject({ alg: "EdDSA", typ: "at+jwt" });
    const claims = decodeJwt(body.access_token);
    expect(Object.keys(claims).toSorted()).toEqual(
      ["aud", "client_id", "exp", "iat", "iss", "jti", "role", "sid", "sub", "token_version"].toSorted(),
    );
    expect(claims).toMatchObject({ sub: id, iss: "gatehouse", aud: "gatehouse", client_id: "gatehouse", role: "user" });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(900);
    expect(refreshCookieOf(response)).toMatchObject({
      path: "/v1/auth",
      httpOnly: true,
      sameSite: "Strict",
      maxAge: 604_800,
    });
  });

  it("stores the device and only the hash of the token", async () => {
    const { email, userId } = await auth.user();
    const response = await auth.login(email, PASSWORD, { device_id: "d-1", device_name: "phone" });
    const token = refreshCookieOf(response)?.value ?? "";
    const rows = await auth.db.selectFrom("refresh_tokens").selectAll().where("user_id", "=", userId).execute();
    expect(JSON.stringify(rows)).not.toContain(token);
    const session = await auth.db
      .selectFrom("sessions")
      .select(["device_id", "device_name", "ip_address"])
      .where("user_id", "=", userId)
      .where("device_id", "is not", null)
      .executeTakeFirst();
    expect(session).toEqual({ device_id: "d-1", device_name: "phone", ip_address: "127.0.0.1" });
  });

  it("returns 401 InactiveUser while the account is inactive", async () => {
    const admin = await auth.admin();
    const user = await auth.user();
    await auth.internal("PATCH", `/internal/accounts/${user.userId}`, {
      is_active: false,
      on_behalf_of: auth.onBehalfOf(admin),
    });
    expect(problemOf(await auth.login(user.email))).toEqual([401, "InactiveUser"]);
    expect(problemOf(await auth.login(user.email, "Wrong-Password-1"))).toEqual([401, "InvalidCredentials"]);
  });
});

describe("POST /v1/auth/login with invalid input", () => {
  it.each([
    ["an unknown email", { username: "nobody@example.com", password: PASSWORD }],
    ["a username that is not an email", { username: "nobody", password: PASSWORD }],
    ["an empty password", { username: "nobody@example.com", password: "" }],
    ["a password over the length limit", { username: "nobody@example.com", password: "A1".repeat(65) }],
  ])("returns 401 InvalidCredentials for %s", async (_what, fields) => {
    expect(problemOf(await form(fields))).toEqual([401, "InvalidCredentials"]);
  });

  it("returns 401 with a challenge when the password is wrong", async () => {
    const { email } = await auth.user();
    const response = await auth.login(email, "Wrong-Password-1");
    expect(problemOf(response)).toEqual([401, "InvalidCredentials"]);
    expect(response.headers["www-authenticate"]).toBe("Bearer");
    expect(refreshCookieOf(response)).toBeUndefined();
  });

  it.each([
    ["no username", { password: PASSWORD }, "body.username"],
    ["no password", { username: "a@example.com" }, "body.password"],
    ["an unknown field", { username: "a@example.com", password: PASSWORD, remember: "yes" }, "body.remember"],
    [
      "a device name over the length limit",
      { username: "a", password: "b", device_name: "x".repeat(101) },
      "body.device_name",
    ],
    ["NUL in the username", { username: "a\0@example.com", password: PASSWORD }, "body.username"],
  ] as [string, Record<string, string>, string][])("returns 422 with the path for %s", async (_what, fields, path) => {
    const response = await form(fields);
    expect(problemOf(response)).toEqual([422, "ValidationError"]);
    expect(response.json<{ errors: { path: string }[] }>().errors.map((error) => error.path)).toContain(path);
  });

  it("returns 415 for JSON", async () => {
    const response = await auth.app.inject({
      method: "POST",
      url: "/v1/auth/login",
      payload: { username: "a@example.com", password: PASSWORD },
    });
    expect(problemOf(response)).toEqual([415, "UnsupportedMediaType"]);
  });

  it("ignores the other fields of the OAuth2 form", async () => {
    const { email } = await auth.user();
    const fields = { grant_type: "password", scope: "", client_id: "x", client_secret: "y" };
    expect((await auth.login(email, PASSWORD, fields)).statusCode).toBe(200);
  });
});

describe("POST /v1/auth/login after a change of Argon2 parameters", () => {
  async function storeHashOfOtherParameters(userId: string): Promise<void> {
    const parameters = { memoryKib: 16, timeCost: 1, parallelism: 1 };
    const hasher = await createPasswordHasher({ ...parameters, concurrency: 1, maxWaitMs: 1000 });
    const passwordHash = await hasher.hash(PASSWORD);
    await auth.db.updateTable("accounts").set({ password_hash: passwordHash }).where("id", "=", userId).execute();
  }

  it("replaces the hash; the password stays valid", async () => {
    const user = await auth.user();
    await storeHashOfOtherParameters(user.userId);
    expect((await auth.login(user.email)).statusCode).toBe(200);
    const after = (await findAccount(auth.db, user.userId))?.passwordHash;
    expect(after).toMatch(/^\$argon2id\$v=19\$m=8,t=1,p=1\$/);
    expect((await auth.login(user.email)).statusCode).toBe(200);
    expect((await findAccount(auth.db, user.userId))?.passwordHash).toBe(after);
  });

  it("succeeds while simultaneous logins replace the hash", async () => {
    const user = await auth.user();
    await storeHashOfOtherParameters(user.userId);
    const logins = await Promise.all(Array.from({ length: 30 }, () => auth.login(user.email)));
    expect(logins.map(({ statusCode }) => statusCode)).toEqual(logins.map(() => 200));
  });
});

describe("POST /v1/auth/login under overload", () => {
  it("returns only 200, or 503 with Retry-After when no hashing slot is free", async () => {
    const busy = await startAuth({
      ARGON2_MEMORY_KIB: "65536",
      ARGON2_TIME_COST: "3",
      PASSWORD_HASH_CONCURRENCY: "1",
      PASSWORD_HASH_MAX_WAIT_MS: "50",
    });
    try {
      const { email } = (await busy.createAccount()).json<{ email: string }>();
      const responses = await Promise.all(Array.from({ length: 20 }, () => busy.login(email)));
      const refused = responses.filter(({ statusCode }) => statusCode === 503);
      expect(responses.filter(({ statusCode }) => statusCode === 200).length + refused.length).toBe(20);
      expect(refused.length).toBeGreaterThan(0);
      for (const response of refused) {
        expect(problemOf(response)).toEqual([503, "ServiceUnavailable"]);
        expect(Number(response.headers["retry-after"])).toBeGreaterThan(0);
      }
    } finally {
      await busy.stop();
    }
  });
});
