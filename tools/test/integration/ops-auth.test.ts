import { createEmptyDatabase, createTestDatabase, type TestDatabase } from "@gatehouse/test-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type OpsInput, runOps } from "../ops-command.ts";

const PASSWORD = "Correct-Horse-1";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** With the environment of an auth that has never run. */
const ops = (args: readonly string[], given?: OpsInput, variables: NodeJS.ProcessEnv = {}) =>
  runOps(
    {
      ENVIRONMENT: "test",
      AUTH_DATABASE_URL: database.authUrl,
      NATS_URL: "nats://127.0.0.1:9",
      JWT_SECRET_KEY: "jwt-secret-of-the-tests",
      INTERNAL_API_TOKEN: "internal-token-of-the-tests",
      INTROSPECTION_TOKEN: "introspection-token-of-the-tests",
      ARGON2_MEMORY_KIB: "8",
      ARGON2_TIME_COST: "1",
      ...variables,
    },
    args,
    given,
  );

const create = (email: string, ...args: string[]) => ["admin", "create", "--email", email, ...args];

describe("admin create", () => {
  it("is created with the password from standard input", async () => {
    const { code, output } = await ops(create("a@example.com", "--password-stdin", "--json"), {
      piped: `${PASSWORD}\n`,
    });
    expect([code, JSON.parse(output)]).toEqual([0, { user_id: expect.stringMatching(/^[\da-f-]{36}$/) }]);
  });

  it("is created with a password that is typed twice without echo", async () => {
    const typed = `${PASSWORD}\n${PASSWORD}\n`;
    const { code, output, errors } = await ops(create("b@example.com"), { typed });
    expect([code, output, errors]).toEqual([0, expect.stringContaining("created admin"), "Password: \nRepeat: \n"]);
  });

  it.each<[string, string[], OpsInput, string]>([
    ["two passwords", create("c@example.com"), { typed: "one\nother\n" }, "passwords differ"],
    ["no second password", create("c@example.com"), { typed: "one\n" }, "passwords differ"],
    ["nobody to ask", create("c@example.com"), { piped: PASSWORD }, "Use --password-stdin"],
    [
      "an empty password",
      create("c@example.com", "--password-stdin"),
      { piped: "\n" },
      "must have 1 to 128 characters",
    ],
    ["no email", ["admin", "create"], { piped: "" }, "required option '--email"],
    ["what is no email", create("nobody", "--password-stdin"), { piped: PASSWORD }, "must be an email address"],
    [
      "an email that is taken",
      create(" A@example.com", "--password-stdin"),
      { piped: PASSWORD },
      "with that email exists",
    ],
  ])("is not made with %s", async (_what, args, given, message) => {
    const { code, output, errors } = await ops(args, given);
    expect([code, output, errors]).toEqual([1, "", expect.stringContaining(message)]);
    expect(errors).not.toContain(PASSWORD);
  });
});

describe("keys", () => {
  it("are made by auth at its first start", async () => {
    expect(await ops(["keys", "list"])).toMatchObject({ code: 0, output: expect.stringContaining("no keys") });
    expect(await ops(["keys", "rotate", "--now"])).toMatchObject({
      code: 1,
      output: "",
      errors: expect.stringContaining("makes the first key"),
    });
    expect(JSON.parse((await ops(["keys", "list", "--json"])).output)).toEqual({ keys: [] });
    expect(await ops(["keys", "retire", "invented"])).toMatchObject({
      code: 1,
      output: "",
      errors: expect.stringContaining("pnpm ops keys list"),
    });
    expect(JSON.parse((await ops(["keys", "reseal", "--json"])).output)).toEqual({ keys: 0, resealed: [] });
  });
});

describe("tokens cleanup", () => {
  it("prints what it removed", async () => {
    expect(await ops(["tokens", "cleanup"])).toEqual({
      code: 0,
      output: "removed 0 expired tokens, 0 sessions and 0 sealed successors",
      errors: "",
    });
    const { output } = await ops(["tokens", "cleanup", "--json"]);
    expect(JSON.parse(output)).toEqual({ expired_tokens: 0, sessions: 0, sealed_successors: 0 });
  });
});

describe("a command fails without", () => {
  const list = (variables: NodeJS.ProcessEnv) => ops(["keys", "list"], undefined, variables);

  it("auth's database", async () => {
    const { code, errors } = await list({ AUTH_DATABASE_URL: "" });
    expect([code, errors]).toEqual([1, expect.stringContaining("AUTH_DATABASE_URL is not set, and no stack runs")]);
  });

  it("the rest of auth's environment, and names all variables at once", async () => {
    const { code, errors } = await list({ JWT_SECRET_KEY: "", INTROSPECTION_TOKEN: "" });
    expect([code, errors]).toEqual([
      1,
      expect.stringMatching(/INTROSPECTION_TOKEN[^]*JWT_SECRET_KEY|JWT_SECRET_KEY[^]*INTROSPECTION_TOKEN/),
    ]);
  });

  it("a server that replies, and hides the password", async () => {
    const { code, errors } = await list({ AUTH_DATABASE_URL: "postgres://auth:hunter2@127.0.0.1:9/gatehouse" });
    expect([code, errors]).toEqual([
      1,
      "PostgreSQL does not reply. Check that the server runs, and AUTH_DATABASE_URL.\n",
    ]);
  });

  it("the password of auth's role", async () => {
    const wrong = new URL(database.authUrl);
    wrong.password = "hunter2";
    const { code, errors } = await list({ AUTH_DATABASE_URL: wrong.href });
    expect([code, errors]).toEqual([
      1,
      expect.stringMatching(/^PostgreSQL rejected the connection: .*`pnpm migrate up`.*\n$/),
    ]);
    expect(errors).not.toContain("hunter2");
  });

  it("a valid URL, with percent-encoded characters in the password", async () => {
    const { code, errors } = await list({ AUTH_DATABASE_URL: "postgres://auth:a/b@127.0.0.1/gatehouse" });
    expect([code, errors]).toEqual([1, expect.stringContaining("percent-encoded")]);
  });

  it("the schema of this build", async () => {
    const empty = await createEmptyDatabase();
    const { code, errors } = await list({ AUTH_DATABASE_URL: empty.ownerUrl });
    await empty.drop();
    expect([code, errors]).toEqual([1, expect.stringContaining("pnpm migrate up")]);
  });

  it.each([
    ["admin", "create"],
    ["keys", "list"],
    ["keys", "rotate"],
    ["keys", "reseal"],
    ["keys", "retire"],
    ["tokens", "cleanup"],
  ])("is told by %s %s --help", async (...args) => {
    const { code, output } = await runOps({}, [...args, "--help"]);
    expect([code, output]).toEqual([0, expect.stringMatching(/--json[^]*AUTH_DATABASE_URL/)]);
    expect(output).toContain(`Usage: pnpm ops ${args.join(" ")}`);
  });
});
