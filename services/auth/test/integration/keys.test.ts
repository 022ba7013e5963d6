import { decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from "../../src/services/keys/key-material.ts";
import { createKeyService } from "../../src/services/keys/key.service.ts";
import { type AuthFixture, startAuth } from "../fixtures.ts";

let auth: AuthFixture;
beforeAll(async () => {
  auth = await startAuth();
});
afterAll(() => auth.stop());

let clock = new Date();
const replica = (algorithm: SigningAlgorithm = "EdDSA", secrets = ["jwt-secret-of-the-tests"]) =>
  createKeyService({
    database: auth.deps.database,
    transact: auth.deps.services.transact,
    config: { algorithm, secrets, accessTokenSeconds: 900 },
    now: () => clock,
  });
const later = (seconds: number) => {
  clock = new Date(clock.getTime() + seconds * 1000);
};

describe("signing keys", () => {
  it("are published without private parts and stored sealed", async () => {
    const response = await auth.app.inject("/.well-known/jwks.json");
    const { keys } = response.json<{ keys: Record<string, string>[] }>();
    expect(keys).toEqual([
      { kty: "OKP", crv: "Ed25519", x: expect.any(String), kid: expect.any(String), alg: "EdDSA", use: "sig" },
    ]);
    const [stored] = await auth.deps.services.keys.list();
    expect(stored?.sealedPrivateKey?.toString("latin1")).not.toContain("PRIVATE KEY");
  });

  it("are created once when several replicas start at the same time", async () => {
    await auth.db.deleteFrom("signing_keys").execute();
    const replicas = [replica(), replica(), replica()];
    await Promise.all(replicas.map((one) => one.prepare()));
    expect(await auth.deps.services.keys.list()).toHaveLength(1);
    expect(new Set(replicas.map((one) => one.signingKey().kid)).size).toBe(1);
  });

  it("verify no token after retirement, even on a replica that still has them in memory", async () => {
    await auth.deps.services.keys.reload();
    const user = await auth.user();
    const kid = auth.deps.services.keys.signingKey().kid;
    const { accessTokens, introspection } = auth.deps.services;
    const claims = await accessTokens.authenticate(user.accessToken);
    const asked = [{ sub: claims.sub, sid: claims.sid, token_version: claims.tokenVersion, kid }];
    expect(await introspection.introspect(asked)).toMatchObject([{ active: true }]);

    // Another replica rotates the keys and retires this one after the key's last token expires.
    later(1);
    const other = replica();
    await other.rotate({ soon: true });
    later(35 + 900 + 120 + 1);
    expect(await other.retireSuperseded()).toContain(kid);
    expect(auth.deps.services.keys.signingKey().kid).toBe(kid);
    expect(await introspection.introspect(asked)).toMatchObject([{ active: false, session_ended: false }]);
    await expect(accessTokens.authenticate(user.accessToken)).rejects.toMatchObject({ code: "TokenRevokedError" });
  });

  it("are published at once, sign after 15 minutes, and are retired when their last token has expired", async () => {
    const keys = replica();
    await keys.prepare();
    const former = keys.signingKey().kid;
    const { kid } = await keys.rotate();
    expect(
      keys
        .jwks()
        .keys.map((key) => key.kid)
        .toSorted(),
    ).toEqual([former, kid].toSorted());
    later(14 * 60);
    expect(keys.signingKey().kid).toBe(former);
    later(61);
    expect(keys.signingKey().kid).toBe(kid);
    expect(await keys.retireSuperseded()).toEqual([]);
    later(900 + 120);
    expect(await keys.retireSuperseded()).toEqual([former]);
    expect(await keys.publicKey(former)).toBeUndefined();
    expect(await auth.eventsOf(former)).toMatchObject([{ type: "auth.key.retired", data: { kid: former } }]);
    expect(await replica().retireSuperseded(), "each key is retired once").toEqual([]);
  });

  it("sign 35 seconds after an emergency rotation; an unknown kid makes a replica reload", async () => {
    const [one, other] = [replica(), replica()];
    await Promise.all([one.prepare(), other.prepare()]);
    const former = one.signingKey().kid;
    const { kid } = await one.rotate({ soon: true });
    later(34);
    expect(one.signingKey().kid).toBe(former);
    later(2);
    expect(one.signingKey().kid).toBe(kid);
    expect(await other.publicKey(kid)).toBeDefined();
    expect(await other.publicKey("invented")).toBeUndefined();
  });

  it.each(SIGNING_ALGORITHMS)("follow JWT_ALGORITHM to %s after 15 minutes", async (algorithm) => {
    const keys = replica(algorithm);
    await keys.prepare();
    later(15 * 60 + 1);
    expect(keys.signingKey().algorithm).toBe(algorithm);
  });

  it("are resealed under the first of several secrets at startup", async () => {
    await replica("EdDSA", ["new-secret", "jwt-secret-of-the-tests"]).prepare();
    await expect(replica("EdDSA", ["jwt-secret-of-the-tests"]).prepare()).rejects.toThrow(/JWT_SECRET_KEY/);
    await replica("EdDSA", ["new-secret"]).prepare();
  });

  it("are resealed on command if a former secret seals them", async () => {
    const former = "new-secret";
    const kids = (await replica("EdDSA", [former]).list()).map(({ kid }) => kid);
    const keys = replica("EdDSA", ["newest-secret", former]);
    expect((await keys.reseal()).toSorted()).toEqual(kids.toSorted());
    expect(await keys.reseal()).toEqual([]);
    await expect(replica("EdDSA", [former]).reseal()).rejects.toThrow(/JWT_SECRET_KEY/);
  });
});

describe("access tokens", () => {
  it("name the key that signed them", async () => {
    const fresh = await startAuth({ JWT_ALGORITHM: "ES256" });
    try {
      const { accessToken } = await fresh.user();
      const { alg, kid } = decodeProtectedHeader(accessToken);
      expect({ alg, kid }).toEqual({ alg: "ES256", kid: fresh.deps.services.keys.signingKey().kid });
    } finally {
      await fresh.stop();
    }
  });
});
