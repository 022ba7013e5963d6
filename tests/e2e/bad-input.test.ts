import { generateKeyPair, SignJWT, decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  call,
  type Call,
  loginAdmin,
  newEmail,
  PASSWORD,
  type Person,
  problemOf,
  register,
} from "@gatehouse/test-kit/api";
import { openSystem, type System } from "./support/system.ts";

let system: System;
let base: string;
let user: Person;
let admin: Person;
beforeAll(async () => {
  system = await openSystem();
  base = system.url;
  user = await register(base);
  admin = await loginAdmin(base);
});
afterAll(() => system.stop());

const json = { "content-type": "application/json" };
/** Sends a raw body. */
async function raw(
  method: string,
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = json,
) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${user.token}`, ...headers },
    body,
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
    cookie: undefined,
  };
}

describe("invalid bodies", () => {
  it.each([
    ["is not JSON", "{", 400, "BadRequest"],
    ["is not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, "BadRequest"],
    ["has __proto__ in it", '{"__proto__":{"is_admin":true}}', 400, "BadRequest"],
    ["is nested 8,000 deep", "[".repeat(8_000) + "]".repeat(8_000), 422, "ValidationError"],
    ["is an array", "[]", 422, "ValidationError"],
    ["is null", "null", 422, "ValidationError"],
    ["has NUL in it", '{"full_name":"a\\u0000b"}', 422, "ValidationError"],
    ["has a lone surrogate in it", '{"full_name":"\\ud800"}', 422, "ValidationError"],
    ["has an unknown field", '{"role":"admin"}', 422, "ValidationError"],
    ["has a field of another type", '{"full_name":{"a":1}}', 422, "ValidationError"],
    ["has a name that is too long", JSON.stringify({ full_name: "x".repeat(201) }), 422, "ValidationError"],
    ["has an email that is none", '{"email":"nobody"}', 422, "ValidationError"],
    [
      "have an email that is too long",
      JSON.stringify({ email: `${"x".repeat(250)}@example.com` }),
      422,
      "ValidationError",
    ],
    ["is larger than 16 KiB", JSON.stringify({ full_name: "x".repeat(16 * 1024) }), 413, "PayloadTooLarge"],
  ] as [string, string | Uint8Array<ArrayBuffer>, number, string][])(
    "are rejected when they %s",
    async (_what, body, status, type) => {
      expect(problemOf(await raw("PATCH", "/v1/users/me", body))).toEqual([status, type]);
    },
  );

  it.each([["text/plain"], ["application/xml"], ["application/x-www-form-urlencoded"], ["nonsense"]])(
    "are 415 as %s",
    async (type) => {
      const answer = await raw("PATCH", "/v1/users/me", "{}", { "content-type": type });
      expect(problemOf(answer)).toEqual([415, "UnsupportedMediaType"]);
    },
  );

  it("are never repeated in the message", async () => {
    const answer = await raw("POST", "/v1/users", JSON.stringify({ email: "secret-address", password: "secret" }));
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).not.toContain("secret");
    expect(answer.body["errors"]).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: "body.email" }),
        expect.objectContaining({ path: "body.password" }),
      ]),
    );
  });
});

describe("registration", () => {
  it.each(["short1A", "no-digit-Here", "no-upper-case-1", "A1".repeat(65)])(
    "rejects the password %s with 422",
    async (password) => {
      expect((await call(base, "POST", "/v1/users", { json: { email: newEmail(), password } })).status).toBe(422);
    },
  );

  it("treats spellings of one email as one", async () => {
    const email = `ångström-${process.pid}@example.com`;
    expect((await call(base, "POST", "/v1/users", { json: { email, password: PASSWORD } })).status).toBe(201);
    for (const spelling of [email.normalize("NFD"), email.toUpperCase(), `  ${email} `])
      expect(
        problemOf(await call(base, "POST", "/v1/users", { json: { email: spelling, password: PASSWORD } })),
      ).toEqual([409, "EmailAlreadyExists"]);
  });
});

describe("invalid paths and queries", () => {
  it.each([
    ["/v1/users/no-uuid", 422],
    ["/v1/users/00000000-0000-0000-0000-000000000000", 404],
    ["/v1/users/%ff", 400],
    ["/v1/admin/users?limit=0", 422],
    ["/v1/admin/users?limit=101", 422],
    ["/v1/admin/users?limit=ten", 422],
    ["/v1/admin/users?limit=1&limit=2", 422],
    ["/v1/admin/users?skip=-1", 422],
    ["/v1/admin/users?skip=0&cursor=00000000-0000-0000-0000-000000000000", 422],
    ["/v1/admin/users?cursor=x", 422],
    ["/v1/admin/users?role=king", 422],
    ["/v1/admin/users?is_active=perhaps", 422],
    ["/v1/admin/users?q=%00", 422],
    ["/v1/admin/users?unknown=1", 422],
    ["/v1/admin/users?q=%25_%5C", 200],
    ["/v1/admin/users?skip=999999", 200],
  ])("%s is %i", async (path, status) => {
    expect((await call(base, "GET", path, { token: admin.token })).status).toBe(status);
  });
});

describe("forged tokens", () => {
  it("are 401 TokenError at the gateway and at the services", async () => {
    const { privateKey } = await generateKeyPair("EdDSA");
    const claims = decodeJwt(user.token);
    const header = decodeProtectedHeader(user.token) as { alg: string; kid: string };
    const [h = "", p = "", s = ""] = user.token.split(".");
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const jwks = await call<{ keys: { x: string }[] }>(base, "GET", "/.well-known/jwks.json");
    const forgeries = {
      "no signature": `${encode({ ...header, alg: "none" })}.${p}.`,
      "none with the signature": `${encode({ ...header, alg: "none" })}.${p}.${s}`,
      "the public key as an HMAC secret": await new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: "HS256" })
        .sign(Buffer.from(jwks.body.keys[0]?.x ?? "", "base64url")),
      "another key under the same kid": await new SignJWT(claims).setProtectedHeader(header).sign(privateKey),
      "another payload": `${h}.${encode({ ...claims, role: "admin" })}.${s}`,
      "another type": `${encode({ ...header, typ: "JWT" })}.${p}.${s}`,
      "an unknown kid": `${encode({ ...header, kid: "x" })}.${p}.${s}`,
      truncated: user.token.slice(0, -4),
      "an extra part": `${user.token}.x`,
      "very long": `${h}.${"x".repeat(12_000)}.${s}`,
    };
    for (const [kind, token] of Object.entries(forgeries))
      for (const at of [base, ...(system.services ? [system.services.user.url] : [])])
        expect([kind, ...problemOf(await call(at, "GET", "/v1/users/me", { token }))]).toEqual([
          kind,
          401,
          "TokenError",
        ]);
  });
});

describe("an unlisted origin", () => {
  const attempts: [string, (headers: Record<string, string>) => Call][] = [
    ["/v1/auth/login", (headers) => ({ headers, form: { username: user.email, password: PASSWORD } })],
    ["/v1/auth/refresh", (headers) => ({ headers, cookie: "x".repeat(43) })],
    ["/v1/auth/logout", (headers) => ({ headers, token: "stale" })],
  ];
  it.each(attempts)("cannot %s; the gateway's own origin can", async (path, options) => {
    const foreign = await call(base, "POST", path, options({ origin: "https://evil.example" }));
    expect(problemOf(foreign)).toEqual([403, "PermissionDenied"]);
    expect((await call(base, "POST", path, options({ origin: base }))).status).not.toBe(403);
  });
});
