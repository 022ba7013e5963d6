import { newId } from "@gatehouse/contracts";
import { expect, test } from "vitest";
import type { AccessClaims } from "@gatehouse/access";
import { createSignatureCache } from "../../src/verification/signature-cache.ts";

function claims(exp: number): AccessClaims {
  const ids = { sub: newId(), sid: newId(), jti: newId(), kid: newId() };
  return { ...ids, role: "user", tokenVersion: 0, iat: exp - 900, exp, clientId: "gatehouse" };
}

test("a token is cached until it expires", () => {
  let now = 1_000_000;
  const cache = createSignatureCache(10, () => now);
  const known = claims(1_100);
  cache.set("token", known);
  expect(cache.get("token")).toBe(known);
  expect(cache.get("other")).toBeUndefined();
  now = 1_100_000;
  expect(cache.get("token")).toBeUndefined();
  now = 1_000_000;
  expect(cache.get("token")).toBeUndefined();
});

test("a full cache evicts the oldest token", () => {
  const cache = createSignatureCache(3, () => 0);
  for (const token of ["a", "b", "c", "d"]) cache.set(token, claims(1));
  expect(["a", "b", "c", "d"].map((token) => cache.get(token) !== undefined)).toEqual([false, true, true, true]);
});

test("a token set twice evicts no other", () => {
  const cache = createSignatureCache(2, () => 0);
  for (const token of ["a", "b", "b", "b"]) cache.set(token, claims(1));
  expect(cache.get("a")).toBeDefined();
});
