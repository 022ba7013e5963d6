import { describe, expect, it } from "vitest";
import { clearedRefreshCookie } from "../../src/routes/cookie.ts";

describe("clearedRefreshCookie", () => {
  it("has the attributes of the cookie that auth sets, with Secure when cookies are secure", () => {
    expect(clearedRefreshCookie(true)).toBe(
      "refresh_token=; Max-Age=0; Path=/v1/auth; HttpOnly; Secure; SameSite=Strict",
    );
    expect(clearedRefreshCookie(false)).toBe("refresh_token=; Max-Age=0; Path=/v1/auth; HttpOnly; SameSite=Strict");
  });
});
