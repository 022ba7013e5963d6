import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findAccountByEmail } from "../../src/repositories/accounts/account.repository.ts";
import { type AuthOperations, openOperations } from "../../src/operations.ts";
import { type AuthFixture, authVariables, PASSWORD, startAuth } from "../fixtures.ts";

let auth: AuthFixture;
let operations: AuthOperations;
beforeAll(async () => {
  auth = await startAuth();
  operations = await openOperations(authVariables(auth.url));
});
afterAll(async () => {
  await operations.close();
  await auth.stop();
});

describe("createAdmin", () => {
  it("creates an admin who can log in, and writes auth.account.created", async () => {
    const email = auth.newEmail();
    const { id } = await operations.createAdmin({ email, password: PASSWORD });
    expect((await auth.login(email)).json()).toMatchObject({ user: { id, role: "admin", is_verified: true } });
    expect(await auth.eventsOf(id)).toMatchObject([{ type: "auth.account.created", data: { email, role: "admin" } }]);
  });

  it("does not promote an existing account", async () => {
    const user = await auth.user();
    const again = operations.createAdmin({ email: user.email, password: "Another-Horse-2" });
    await expect(again).rejects.toMatchObject({ code: "EmailAlreadyExists" });
    expect(await findAccountByEmail(auth.db, user.email)).toMatchObject({ id: user.userId, role: "user" });
    expect((await auth.login(user.email)).statusCode).toBe(200);
  });
});

describe("rotateKeys, retireKey, resealKeys and listKeys", () => {
  const published = async () => (await auth.app.inject("/.well-known/jwks.json")).json<{ keys: { kid: string }[] }>();

  it("publish a rotated key, which a running auth serves after its reload and does not sign with yet", async () => {
    const [signing] = await operations.listKeys();
    expect(signing).toMatchObject({ state: "signing", algorithm: "EdDSA" });
    const next = await operations.rotateKeys({ soon: false });
    expect(await operations.listKeys()).toMatchObject([
      { kid: next?.kid, state: "next" },
      { kid: signing?.kid, state: "signing" },
    ]);
    await auth.deps.services.keys.reload();
    expect((await published()).keys.map(({ kid }) => kid)).toEqual([next?.kid, signing?.kid]);
    expect(auth.deps.services.keys.signingKey().kid).toBe(signing?.kid);
  });

  it("rotate early in an emergency and retire a leaked key before its tokens expire", async () => {
    const { accessToken } = await auth.user();
    const look = async () => (await auth.withToken(accessToken, "GET", "/v1/auth/sessions")).statusCode;
    const former = auth.deps.services.keys.signingKey().kid;
    expect(await operations.retireKey(former), "it still signs").toBe(false);
    // In the past, so the key already signs.
    const earlier = await openOperations(authVariables(auth.url), () => new Date(Date.now() - 35_000));
    const soon = await earlier.rotateKeys({ soon: true });
    await earlier.close();
    await auth.deps.services.keys.reload();
    expect(auth.deps.services.keys.signingKey().kid).toBe(soon?.kid);
    expect((await operations.listKeys()).find(({ state }) => state === "signing")?.kid).toBe(soon?.kid);
    expect(await look()).toBe(200);
    expect(await operations.retireKey("invented")).toBe(false);
    expect(await operations.retireKey(former)).toBe(true);
    await auth.deps.services.keys.reload();
    expect(await look()).toBe(401);
    expect(await auth.eventsOf(former)).toMatchObject([{ type: "auth.key.retired", data: { kid: former } }]);
  });

  it("reseal nothing when the first secret already seals every key", async () => {
    const keys = (await operations.listKeys()).length;
    expect(await operations.resealKeys()).toEqual({ keys, resealed: [] });
  });

  it("reject a rotation when no secret opens the existing keys", async () => {
    const before = await operations.listKeys();
    const wrong = await openOperations({ ...authVariables(auth.url), JWT_SECRET_KEY: "another-secret-of-the-tests" });
    await expect(wrong.rotateKeys({ soon: false })).rejects.toMatchObject({
      name: "OperatorError",
      message: expect.stringContaining("no value of JWT_SECRET_KEY opens"),
    });
    await wrong.close();
    expect(await operations.listKeys()).toEqual(before);
  });

  it("list keys without private keys", async () => {
    for (const key of await operations.listKeys())
      expect(Object.keys(key).toSorted()).toEqual(["algorithm", "createdAt", "kid", "signsFrom", "state"]);
  });
});

describe("cleanUpTokens", () => {
  it("deletes only expired tokens and their sessions", async () => {
    const [old, live] = [await auth.user(), await auth.user()];
    await auth.db
      .updateTable("refresh_tokens")
      .set({ expires_at: new Date(0) })
      .where("session_id", "=", old.sessionId)
      .execute();
    expect(await operations.cleanUpTokens()).toMatchObject({ expiredTokens: 1, sessions: 1 });
    expect((await auth.refresh(live.refreshToken)).statusCode).toBe(200);
  });
});
