import { describe, expect, it } from "vitest";
import { clearedRefreshCookie } from "../../src/routes/cookie.ts";

describe("what happens when the refresh cookie is cleared", () => {
  it("it has the attributes that it was set with, Secure among them where that is so", () => {
    expect(clearedRefreshCookie(true)).toBe(
      "refresh_token=; Max-Age=0; Path=/v1/auth; HttpOnly; Secure; SameSite=Strict",
    );
    expect(clearedRefreshCookie(false)).toBe("refresh_token=; Max-Age=0; Path=/v1/auth; HttpOnly; SameSite=Strict");
  });
});
