import { describe, expect, it } from "vitest";
import { createRefreshCookie } from "../../src/refresh-cookie.ts";
import { createTestApp } from "../fixtures/test-app.ts";

async function answerOf(secure: boolean, cookie = "refresh_token=presented; other=1") {
  const { app } = createTestApp();
  const refreshCookie = createRefreshCookie({ secure });
  app.post("/set", async (request, reply) => {
    refreshCookie.set(reply, `after-${refreshCookie.read(request)}`, 60);
    return {};
  });
  app.post("/clear", async (_request, reply) => {
    refreshCookie.clear(reply);
    return {};
  });
  const send = async (url: string) =>
    (await app.inject({ method: "POST", url, headers: { cookie } })).headers["set-cookie"];
  return { set: await send("/set"), cleared: await send("/clear") };
}

describe("createRefreshCookie", () => {
  it("reads the cookie of the request and sets one with every attribute", async () => {
    const { set } = await answerOf(true);
    expect(set).toBe("refresh_token=after-presented; Max-Age=60; Path=/v1/auth; HttpOnly; Secure; SameSite=Strict");
  });

  it("clears the cookie with the attributes that it was set with, with Secure when cookies are secure", async () => {
    expect((await answerOf(true)).cleared).toBe(
      "refresh_token=; Max-Age=0; Path=/v1/auth; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Strict",
    );
    expect((await answerOf(false)).cleared).toBe(
      "refresh_token=; Max-Age=0; Path=/v1/auth; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict",
    );
  });
});
