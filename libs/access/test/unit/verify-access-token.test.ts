import { newId } from "@gatehouse/contracts";
import { verifyAccessToken } from "@gatehouse/access";
import { AppError } from "@gatehouse/errors";
import { exportSPKI, SignJWT, UnsecuredJWT } from "jose";
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { AUDIENCE, createKey, encode, ISSUER, payloadOf, sign, type TestKey } from "../fixtures/tokens.ts";

let key: TestKey;
let others: TestKey[];
let forger: TestKey;
beforeAll(async () => {
  key = await createKey();
  others = [await createKey("ES256"), await createKey("RS256")];
  forger = { ...(await createKey()), kid: key.kid };
});

const seconds = () => Math.floor(Date.now() / 1_000);

function verify(token: string, options: { algorithms?: string[]; now?: () => number } = {}) {
  return verifyAccessToken(token, {
    keyFor: async (kid) => [key, ...others].find((one) => one.kid === kid)?.publicKey,
    algorithms: ["EdDSA", "ES256", "RS256"],
    issuer: ISSUER,
    audience: AUDIENCE,
    ...options,
  });
}

describe("a token as auth issues it", () => {
  test("returns its claims", async () => {
    const payload = payloadOf({ role: "admin" });
    expect(await verify(await sign(key, payload))).toEqual({
      sub: payload["sub"],
      sid: payload["sid"],
      role: "admin",
      tokenVersion: 3,
      iat: payload["iat"],
      exp: payload["exp"],
      jti: payload["jti"],
      kid: key.kid,
      clientId: "gatehouse",
    });
  });

  test("is accepted with each algorithm", async () => {
    for (const other of others) await expect(verify(await sign(other))).resolves.toMatchObject({ kid: other.kid });
  });

  test("with an unknown role has no rights", async () => {
    await expect(verify(await sign(key, { role: "owner" }))).resolves.toMatchObject({ role: "unknown" });
  });

  test("is accepted with the full name of its type, and with one audience of several", async () => {
    const token = await sign(key, { aud: ["another", AUDIENCE] }, { typ: "application/at+jwt" });
    await expect(verify(token)).resolves.toMatchObject({ kid: key.kid });
  });

  test("is accepted by a clock 30 s behind auth's", async () => {
    const iat = seconds() + 28;
    await expect(verify(await sign(key, { iat, nbf: iat }))).resolves.toMatchObject({ iat });
  });

  test("is rejected with an algorithm that is not configured", async () => {
    await expect(verify(await sign(key), { algorithms: ["RS256"] })).rejects.toMatchObject({ code: "TokenError" });
  });

  test("is valid until it expires, without leeway", async () => {
    const exp = seconds() + 100;
    const token = await sign(key, { exp });
    await expect(verify(token, { now: () => exp * 1_000 - 1 })).resolves.toMatchObject({ exp });
    await expect(verify(token, { now: () => exp * 1_000 })).rejects.toMatchObject({ code: "TokenError" });
  });
});

/** Tokens of an attacker, a broken client or another issuer. Each is a TokenError. */
const FORGERIES: Record<string, () => string | Promise<string>> = {
  nothing: () => "",
  "no token at all": () => "hello",
  "dots only": () => "..",
  "segments that are no base64url": () => "!!.!!.!!",
  "a header that is no JSON": () => `${encode("{")}.${encode("{}")}.`,
  "a header that is no object": () => `${encode([])}.${encode({})}.`,
  "a header that is null": () => `${encode("null")}.${encode({})}.`,
  "text that is no ASCII": () => "tökén.ключ.鍵",
  "a lone surrogate": () => "\ud800.\udfff.a",
  "a NUL": async () => `${await sign(key)}\0`,
  "a space inside": async () => (await sign(key)).replace(".", ". "),
  "a token cut short": async () => (await sign(key)).slice(0, -4),
  "a token without its signature": async () => `${(await sign(key)).split(".").slice(0, 2).join(".")}.`,
  "two segments": async () => (await sign(key)).split(".").slice(0, 2).join("."),
  "a fourth segment": async () => `${await sign(key)}.abcd`,
  "the five segments of an encrypted token": async () => `${await sign(key)}.abcd.efgh`,
  "a huge token": async () => await sign(key, { padding: "x".repeat(9_000) }),
  megabytes: () => "a".repeat(5_000_000),

  "alg none": () => unsecured("none"),
  "alg None": () => unsecured("None"),
  "alg none by the library": () => new UnsecuredJWT(payloadOf()).encode(),
  "no alg": () => `${encode({ typ: "at+jwt", kid: key.kid })}.${encode(payloadOf())}.`,
  "an alg that is no text": () => `${encode({ alg: 1, typ: "at+jwt", kid: key.kid })}.${encode(payloadOf())}.`,
  "HS256 with the public key as secret": async () => hmac(await exportSPKI(key.publicKey)),
  "HS256 with the raw public key as secret": () => hmac(Buffer.from(String(key.jwk.x), "base64url")),
  "HS256 with an empty secret": () => hmac(""),
  "the algorithm of another key": async () => await sign({ ...others[0]!, kid: key.kid }),
  "a header that names another algorithm than its key's": async () => {
    const [, payload, signature] = (await sign(key)).split(".");
    return `${encode({ alg: "RS256", typ: "at+jwt", kid: key.kid })}.${payload}.${signature}`;
  },

  "another key under a kid of ours": () => sign(forger),
  "a key of its own in the header": () => sign(forger, {}, { jwk: forger.jwk }),
  "an address of keys in the header": () => sign(forger, {}, { jku: "http://127.0.0.1:9/keys" }),
  "a certificate in the header": () => sign(forger, {}, { x5c: ["MIIB"], x5u: "http://127.0.0.1:9/c" }),
  "a kid that nobody knows": () => sign({ ...key, kid: newId() }),
  "a kid that is a path": () => sign({ ...key, kid: "../../etc/passwd" }),
  "a kid of an object's own": () => sign({ ...key, kid: "__proto__" }),
  "a kid that is very long": () => sign({ ...key, kid: "k".repeat(101) }),
  "a kid that is no text": () => sign(key, {}, { kid: { $ne: null } }),
  "no kid": () => sign(key, {}, { kid: undefined }),
  "a critical extension that is not understood": () => signRaw(JSON.stringify(payloadOf()), { crit: ["gh"], gh: true }),
  "an id token": () => sign(key, {}, { typ: "JWT" }),
  "no type": () => sign(key, {}, { typ: undefined }),
  "a changed payload": async () => {
    const [header, , signature] = (await sign(key)).split(".");
    return `${header}.${encode(payloadOf({ role: "admin" }))}.${signature}`;
  },
  "a payload that is not encoded": () => signRaw(JSON.stringify(payloadOf()), { crit: ["b64"], b64: false }),
  "a payload that is no JSON": () => signRaw("{"),
  "a payload that is a list": () => signRaw("[]"),

  "another issuer": () => sign(key, { iss: "https://elsewhere.test" }),
  "no issuer": () => sign(key, { iss: undefined }),
  "another audience": () => sign(key, { aud: "elsewhere" }),
  "no audience": () => sign(key, { aud: undefined }),
  "another client": () => sign(key, { client_id: "elsewhere" }),
  "no client": () => sign(key, { client_id: undefined }),
  "an expired one": () => sign(key, { iat: seconds() - 901, exp: seconds() - 1 }),
  "no end": () => sign(key, { exp: undefined }),
  "an end that is no number": () => sign(key, { exp: "tomorrow" }),
  "an end beyond all numbers": () => signRaw(JSON.stringify(payloadOf()).replace(/"exp":\d+/, '"exp":1e999')),
  "issued in the future": () => sign(key, { iat: seconds() + 33 }),
  "no time of issue": () => sign(key, { iat: undefined }),
  "a negative time of issue": () => sign(key, { iat: -1 }),
  "not valid yet": () => sign(key, { nbf: seconds() + 33 }),
  "a begin that is no number": () => sign(key, { nbf: "now" }),
  "a subject that is no id": () => sign(key, { sub: "admin" }),
  "a subject in capitals": () => sign(key, { sub: newId().toUpperCase() }),
  "no subject": () => sign(key, { sub: undefined }),
  "a session that is no id": () => sign(key, { sid: "1" }),
  "no session": () => sign(key, { sid: undefined }),
  "no role": () => sign(key, { role: undefined }),
  "a role that is a list": () => sign(key, { role: ["admin"] }),
  "no version": () => sign(key, { token_version: undefined }),
  "a version that is text": () => sign(key, { token_version: "3" }),
  "a version that is not whole": () => sign(key, { token_version: 3.5 }),
  "a version beyond all numbers": () =>
    signRaw(JSON.stringify(payloadOf({ token_version: 0 })).replace(":0,", ":1e999,")),
  "no id": () => sign(key, { jti: undefined }),
  "an id that is no text": () => sign(key, { jti: 7 }),
};

function unsecured(alg: string): string {
  return `${encode({ alg, typ: "at+jwt", kid: key.kid })}.${encode(payloadOf())}.`;
}

function hmac(secret: string | Buffer): string {
  const text = `${encode({ alg: "HS256", typ: "at+jwt", kid: key.kid })}.${encode(payloadOf())}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

async function signRaw(payload: string, header: object = {}): Promise<string> {
  const text = `${encode({ alg: key.alg, typ: "at+jwt", kid: key.kid, ...header })}.${encode(payload)}`;
  const signature = await crypto.subtle.sign("Ed25519", key.privateKey, Buffer.from(text));
  return `${text}.${Buffer.from(signature).toString("base64url")}`;
}

describe("an invalid token", () => {
  test("signRaw creates a valid token", async () => {
    await expect(verify(await signRaw(JSON.stringify(payloadOf())))).resolves.toMatchObject({ kid: key.kid });
  });

  for (const [name, forge] of Object.entries(FORGERIES)) {
    test(`${name}: TokenError`, async () => {
      await expect(verify(await forge())).rejects.toMatchObject({ name: "TokenError", status: 401 });
    });
  }
});

describe("without keys", () => {
  test("rethrows the error of the key set", async () => {
    const unavailable = new AppError("ServiceUnavailable");
    const token = await sign(key);
    const keyFor = () => Promise.reject(unavailable);
    await expect(
      verifyAccessToken(token, { keyFor, algorithms: ["EdDSA"], issuer: ISSUER, audience: AUDIENCE }),
    ).rejects.toBe(unavailable);
  });

  test("looks up no key for a token of another shape", async () => {
    const asked: string[] = [];
    const keyFor = async (kid: string) => void asked.push(kid);
    const options = { keyFor, algorithms: ["EdDSA"], issuer: ISSUER, audience: AUDIENCE };
    for (const token of [unsecured("none"), hmac("x"), "a.b.c"])
      await expect(verifyAccessToken(token, options)).rejects.toMatchObject({ code: "TokenError" });
    expect(asked).toEqual([]);
  });

  test("rejects a token that the same key signed for another use", async () => {
    const token = await new SignJWT({}).setProtectedHeader({ alg: "EdDSA", kid: key.kid }).sign(key.privateKey);
    await expect(verify(token)).rejects.toMatchObject({ code: "TokenError" });
  });
});
