import { describe, expect, it } from "vitest";
import { createHostCheck } from "../../src/services/origins/allowed-hosts.ts";
import { isOwnOrigin } from "../../src/services/origins/own-origin.ts";
import { isPlainPath } from "../../src/services/forwarding/plain-path.ts";

describe("a path", () => {
  it.each([
    "/v1/users/me",
    "/v1/users/0199a5a0-0000-7000-8000-000000000000",
    "/v1/users/not%20a%20uuid",
    "/v1/admin/users?q=a//b/../c%2f\\",
    "/.well-known/jwks.json",
    "/v1/users/..a",
  ])("is plain: %s", (path) => expect(isPlainPath(path)).toBe(true));

  it.each([
    "/v1//users",
    "/v1/./users",
    "/v1/users/..",
    "/v1/users/../../internal",
    "/v1/users/%2e%2E/internal",
    "/v1/users/..%2finternal",
    "/v1/users/a%2Fb",
    "/v1/users/a\\b",
    "/v1/users/a%5cb",
    "/v1/users/a%00",
    "/v1/users/a%252fb",
    "/v1/users/me#x",
    "http://auth/internal/accounts",
    "*",
  ])("is not plain: %s", (path) => expect(isPlainPath(path)).toBe(false));
});

describe("the allowed hosts", () => {
  const isAllowed = createHostCheck(["API.example.com:8000", "*.apps.example.com", "[::1]"]);

  it.each([
    "api.example.com",
    "API.example.com:8000",
    "api.example.com.",
    "a.apps.example.com",
    "a.b.apps.example.com:1",
    "[::1]:80",
  ])("take %s", (host) => expect(isAllowed(host)).toBe(true));

  it.each([
    undefined,
    "",
    "example.com",
    "apps.example.com",
    ".apps.example.com",
    "evil-apps.example.com",
    "api.example.com.evil.com",
    "api.example.com:80:80",
    "api.example.com@evil.com",
    "[::1",
    "127.0.0.1",
  ])("refuse %s", (host) => expect(isAllowed(host)).toBe(false));

  it("are all hosts when the list is empty", () => expect(createHostCheck([])("whatever")).toBe(true));
});

describe("the gateway's own origin", () => {
  it.each([
    ["http://localhost:8000", "http", "localhost:8000", true],
    ["https://api.example.com", "https", "api.example.com:443", true],
    ["https://api.example.com", "https", "API.example.com", true],
    ["https://api.example.com", "http", "api.example.com", false],
    ["http://localhost:3000", "http", "localhost:8000", false],
    ["null", "http", "localhost:8000", false],
    ["null", "http", "", false],
    ["http://evil.com", "http", "evil.com@localhost", false],
  ])("is %s called by %s://%s: %s", (origin, protocol, host, own) => {
    expect(isOwnOrigin(origin, protocol, host)).toBe(own);
  });
});
