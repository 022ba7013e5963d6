import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createClient, isProblem, ProblemError, type Tokens, UnexpectedAnswerError } from "../../src/index.ts";
import { type LocalGateway, problem, type Reply, startLocalGateway, tokensReply } from "../local-gateway.ts";

let gateway: LocalGateway;
beforeEach(async () => {
  gateway = await startLocalGateway();
});
afterEach(() => gateway.close());

const OLD: Tokens = { accessToken: "access-1", refreshToken: "refresh-1" };

/** A client that is logged in, and every change of its tokens. */
function loggedIn() {
  const changes: (Tokens | undefined)[] = [];
  const client = createClient({ baseUrl: gateway.url, tokens: OLD, onTokens: (tokens) => changes.push(tokens) });
  return { client, changes };
}

const refused = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => expect.unreachable("it was not refused"),
    (error: unknown) => error,
  );

const paths = () => gateway.received.map(({ method, url }) => `${method} ${url}`);

/** A gateway where access-1 has expired and refresh-1 can be rotated once. */
function expired(me: Reply = { status: 200, json: { id: "u-1" } }) {
  let rotations = 0;
  gateway.answer = ({ url, bearer }) => {
    if (url !== "/v1/auth/refresh") return bearer === "access-1" ? problem(401, "TokenError") : me;
    rotations += 1;
    return rotations === 1 ? tokensReply("access-2", "refresh-2") : problem(401, "TokenRevokedError");
  };
}

describe("login", () => {
  it("sends the password form and keeps both tokens", async () => {
    const changes: (Tokens | undefined)[] = [];
    const client = createClient({ baseUrl: gateway.url, onTokens: (tokens) => changes.push(tokens) });
    gateway.answer = ({ url }) =>
      url === "/v1/auth/login" ? tokensReply("access-1", "refresh-1") : { status: 200, json: { id: "u-1" } };
    expect(await client.login("ada+1@example.com", "Correct-Horse-1", { deviceName: "Ada's" })).toEqual({ id: "u-1" });
    await client.me();
    expect(gateway.received).toEqual([
      {
        method: "POST",
        url: "/v1/auth/login",
        bearer: undefined,
        cookie: undefined,
        body: "username=ada%2B1%40example.com&password=Correct-Horse-1&device_name=Ada%27s",
      },
      { method: "GET", url: "/v1/auth/me", bearer: "access-1", cookie: "refresh_token=refresh-1", body: "" },
    ]);
    expect([changes, client.tokens()]).toEqual([[OLD], OLD]);
  });

  it("throws the problem when the password is wrong and keeps no token", async () => {
    const client = createClient({ baseUrl: gateway.url });
    gateway.answer = () => problem(401, "InvalidCredentials");
    const error = await refused(client.login("ada@example.com", "no"));
    expect(isProblem(error, "InvalidCredentials") && error.problem).toEqual({
      type: "InvalidCredentials",
      title: "InvalidCredentials",
      status: 401,
      detail: "it is InvalidCredentials",
      correlation_id: "c-1",
    });
    expect(client.tokens()).toBeUndefined();
  });

  it("rejects an answer without the refresh cookie", async () => {
    gateway.answer = () => ({ status: 200, json: { access_token: "access-1" } });
    const error = await refused(createClient({ baseUrl: gateway.url }).login("ada@example.com", "no"));
    expect(error).toBeInstanceOf(UnexpectedAnswerError);
  });
});

describe("an expired access token", () => {
  it("refreshes and retries the call", async () => {
    const { client, changes } = loggedIn();
    expired();
    expect(await client.updateMe({ full_name: "Ada" })).toEqual({ id: "u-1" });
    expect(gateway.received.map(({ url, bearer, cookie, body }) => [url, bearer, cookie, body])).toEqual([
      ["/v1/users/me", "access-1", undefined, '{"full_name":"Ada"}'],
      ["/v1/auth/refresh", undefined, "refresh_token=refresh-1", ""],
      ["/v1/users/me", "access-2", undefined, '{"full_name":"Ada"}'],
    ]);
    expect(changes).toEqual([{ accessToken: "access-2", refreshToken: "refresh-2" }]);
  });

  it("refreshes once for simultaneous calls", async () => {
    const { client } = loggedIn();
    expired();
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.me()));
    expect(answers).toEqual(Array(10).fill({ id: "u-1" }));
    expect(paths().filter((path) => path.endsWith("refresh"))).toHaveLength(1);
  });

  it("does not refresh again for a call that was sent before the refresh", async () => {
    const { client } = loggedIn();
    expired();
    const decide = gateway.answer;
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    gateway.answer = async (request) => {
      if (request.url === "/v1/auth/sessions" && request.bearer === "access-1") await held;
      return request.url === "/v1/auth/sessions" && request.bearer === "access-2"
        ? { status: 200, json: { items: [] } }
        : decide(request);
    };
    const late = client.sessions();
    await client.me();
    release();
    expect(await late).toEqual([]);
    expect(paths().filter((path) => path.endsWith("refresh"))).toHaveLength(1);
  });

  it("throws after the second 401", async () => {
    const { client } = loggedIn();
    expired(problem(401, "TokenError"));
    expect(isProblem(await refused(client.me()), "TokenError")).toBe(true);
    expect(gateway.received).toHaveLength(3);
  });

  it("forgets the tokens when the refresh is rejected", async () => {
    const { client, changes } = loggedIn();
    gateway.answer = ({ url }) => problem(401, url === "/v1/auth/refresh" ? "TokenRevokedError" : "TokenError");
    expect(isProblem(await refused(client.me()), "TokenRevokedError")).toBe(true);
    expect([changes, client.tokens()]).toEqual([[undefined], undefined]);
  });

  it("keeps the tokens when the refresh fails for another reason", async () => {
    const { client } = loggedIn();
    gateway.answer = ({ url }) =>
      url === "/v1/auth/refresh"
        ? problem(503, "ServiceUnavailable", { "retry-after": "2" })
        : problem(401, "TokenError");
    const error = await refused(client.me());
    expect(error).toBeInstanceOf(ProblemError);
    expect((error as ProblemError).retryAfter).toBe(2);
    expect(client.tokens()).toEqual(OLD);
    expired();
    expect(await client.me()).toEqual({ id: "u-1" });
  });
});

describe("errors", () => {
  it("does not refresh after TokenRevokedError", async () => {
    const { client } = loggedIn();
    gateway.answer = () => problem(401, "TokenRevokedError");
    expect(isProblem(await refused(client.me()), "TokenRevokedError")).toBe(true);
    expect(paths()).toEqual(["GET /v1/auth/me"]);
  });

  it("throws UnexpectedAnswerError for an answer that is no problem", async () => {
    const { client } = loggedIn();
    gateway.answer = () => ({ status: 502, json: "oops", headers: { "content-type": "text/html" } });
    const error = await refused(client.me());
    expect(error).toBeInstanceOf(UnexpectedAnswerError);
    expect((error as UnexpectedAnswerError).status).toBe(502);
  });

  it("times out", async () => {
    const client = createClient({ baseUrl: gateway.url, tokens: OLD, timeoutMs: 20 });
    gateway.answer = () => new Promise(() => {});
    expect(await refused(client.me())).toMatchObject({ name: "TimeoutError" });
  });
});

describe("logout", () => {
  it.each([
    ["logout", "POST /v1/auth/logout", "refresh_token=refresh-1"],
    ["logoutAll", "POST /v1/auth/logout-all", "refresh_token=refresh-1"],
    ["changePassword", "POST /v1/auth/change-password", "refresh_token=refresh-1"],
    ["deleteMe", "DELETE /v1/users/me", undefined],
  ] as const)("by %s forgets the tokens", async (method, path, cookie) => {
    const { client } = loggedIn();
    await client[method]("Correct-Horse-1", "Battery-Staple-2");
    expect(paths()).toEqual([path]);
    expect(gateway.received[0]).toMatchObject({ bearer: "access-1", cookie });
    expect(client.tokens()).toBeUndefined();
  });

  it("keeps the tokens when it fails", async () => {
    const { client } = loggedIn();
    gateway.answer = () => problem(401, "InvalidCredentials");
    await refused(client.changePassword("wrong", "Battery-Staple-2"));
    expect(client.tokens()).toEqual(OLD);
  });
});

it("has a method for every other route", async () => {
  const { client } = loggedIn();
  gateway.answer = () => ({ status: 200, json: { items: [] } });
  await client.register({ email: "ada@example.com", password: "Correct-Horse-1" });
  await client.removeSession("a/b");
  await client.user("u-2");
  await client.admin.list({ limit: 5, q: "a&b", is_active: false });
  await client.admin.list();
  await client.admin.create({ email: "ada@example.com", password: "x" });
  await client.admin.get("u-2");
  await client.admin.update("u-2", { role: "admin" });
  await client.admin.remove("u-2");
  await client.admin.restore("u-2");
  expect(paths()).toEqual([
    "POST /v1/users",
    "DELETE /v1/auth/sessions/a%2Fb",
    "GET /v1/users/u-2",
    "GET /v1/admin/users?limit=5&q=a%26b&is_active=false",
    "GET /v1/admin/users",
    "POST /v1/admin/users",
    "GET /v1/admin/users/u-2",
    "PATCH /v1/admin/users/u-2",
    "DELETE /v1/admin/users/u-2",
    "POST /v1/admin/users/u-2/restore",
  ]);
  const [registration, , , , , creation] = gateway.received;
  expect(registration).toMatchObject({
    bearer: undefined,
    body: '{"email":"ada@example.com","password":"Correct-Horse-1"}',
  });
  expect(creation).toMatchObject({ bearer: "access-1" });
});
