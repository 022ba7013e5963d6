import { assertNoSecrets, rememberSecret } from "@gatehouse/test-kit";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runOps } from "../ops-command.ts";
import {
  living,
  processesOf,
  runStart,
  runStartBelowPnpm,
  type StackVariables,
  stackVariables,
  type StartCommand,
} from "../start-command.ts";

const PASSWORD = "Correct-horse-1";
const ADMIN = { FIRST_ADMIN_EMAIL: "Root@Example.com", FIRST_ADMIN_PASSWORD: PASSWORD };
const EVERY_PART = ["auth", "gateway", "nats", "postgres", "redis", "user"];

rememberSecret("a password", PASSWORD);
rememberSecret("a person's name", "Ada Lovelace");

let folder: string;
let variables: StackVariables;
const running: StartCommand[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gatehouse-start-"));
  // PostgreSQL runs as another user when we are root, and must enter the folder.
  await chmod(folder, 0o711);
  variables = { ...(await stackVariables(join(folder, "stack"))), ...ADMIN };
});

afterAll(async () => {
  for (const command of running) command.kill("SIGTERM");
  await Promise.all(running.map((command) => command.ended()));
  await rm(folder, { recursive: true, force: true });
  // Except for the suggested command, whose email and password are examples.
  const written = (lines: readonly string[]) => lines.map((line) => (line.startsWith("try: ") ? "" : line));
  assertNoSecrets(running.map(({ lines }, index) => ({ name: `start-${index + 1}`, lines: written(lines) })));
});

function start(own: StackVariables, ...args: string[]): StartCommand {
  const command = runStart(own, ...args);
  running.push(command);
  return command;
}

async function statusOfLogin(url: string, username: string): Promise<number> {
  const body = new URLSearchParams({ username, password: ADMIN.FIRST_ADMIN_PASSWORD });
  return (await fetch(`${url}/v1/auth/login`, { method: "POST", body })).status;
}

async function register(url: string, email: string): Promise<number> {
  const body = JSON.stringify({ email, password: ADMIN.FIRST_ADMIN_PASSWORD, full_name: "Ada Lovelace" });
  const headers = { "content-type": "application/json" };
  return (await fetch(`${url}/v1/users`, { method: "POST", headers, body })).status;
}

/** Returns all printed blocks of the trace that begins with this gateway span. */
function printedTrace({ lines }: StartCommand, name: string): string {
  const printed = lines.join("\n").split(/^(?=── )/m);
  const first = printed.find((block) => block.includes(`\ngateway ${name} `)) ?? "";
  const [traceId] = /[\da-f]{32}/.exec(first) ?? [];
  return printed.filter((block) => traceId !== undefined && block.includes(traceId)).join("");
}

describe("pnpm start", { timeout: 60_000 }, () => {
  let first: StartCommand;

  test("starts every part in an empty folder, and the first admin can log in", async () => {
    first = start(variables, "--observe");
    const url = await first.ready();
    expect(url).toBe(`http://127.0.0.1:${variables["GATEWAY_PORT"]}`);
    expect(first.lines.at(-1)).toContain("gatehouse ready on");
    expect(
      processesOf(variables)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(EVERY_PART);
    expect((await stat(join(variables.STACK_DIR, "secrets.json"))).mode & 0o777).toBe(0o600);
    expect(await statusOfLogin(url, "root@example.com")).toBe(200);
    expect(await register(url, "ada@example.com")).toBe(201);
  });

  test("prints the whole trace of a registration with --observe, without personal data", async () => {
    const trace = () => printedTrace(first, "POST /v1/users");
    for (const part of [
      /^gateway POST \/v1\/users 201 .* ms  ━/m,
      /^user .*POST \/v1\/users 201/m,
      /^auth .*POST \/internal\/accounts 201/m,
      /INSERT auth\.accounts/,
      /publish auth\.account\.created/,
      /^user .*process auth\.account\.created/m,
    ])
      await expect.poll(trace).toMatch(part);
    const [hint = "", ready] = first.lines.filter((line) => /^(try: |gatehouse ready on )/.test(line));
    expect([hint, ready]).toEqual([expect.stringContaining("/v1/users"), expect.stringContaining("ready on")]);
    const everythingElse = first.lines.filter((line) => line !== hint).join("\n");
    for (const personal of ["@example.com", PASSWORD, "Ada Lovelace"]) expect(everythingElse).not.toContain(personal);
  });

  describe("pnpm ops finds the running stack by its folder", () => {
    const ops = (...args: string[]) => runOps({ STACK_DIR: variables.STACK_DIR }, args, { piped: `${PASSWORD}\n` });

    test("reads the bus's address from a file that only its owner can read", async () => {
      expect((await stat(join(variables.STACK_DIR, "addresses.json"))).mode & 0o777).toBe(0o600);
      const registered = ["--type", "user.registered", "--since", "1h", "--limit", "1"];
      const { code, output } = await ops("events", "tail", ...registered);
      expect([code, output]).toEqual([0, expect.stringContaining("user.registered")]);
    });

    test("creates an admin in auth's database, who can log in", async () => {
      const { code, output, errors } = await ops(
        "admin",
        "create",
        "--email",
        "Second@Example.com",
        "--password-stdin",
      );
      expect([code, output, errors]).toEqual([0, expect.stringMatching(/^created admin [\da-f-]{36}$/), ""]);
      expect(await statusOfLogin(await first.ready(), "second@example.com")).toBe(200);
    });

    test("publishes a new key beside the signing key", async () => {
      const { kid } = JSON.parse((await ops("keys", "rotate", "--json")).output) as { kid: string };
      const { keys } = JSON.parse((await ops("keys", "list", "--json")).output) as { keys: object[] };
      expect(keys).toMatchObject([{ kid, state: "next" }, { state: "signing" }]);
    });
  });

  test("ends with an error when another pnpm start uses its folder, which keeps running", async () => {
    const second = start(variables);
    expect(await second.ended()).toBe(1);
    expect(second.lines.join("\n")).toContain(`${variables.STACK_DIR} is in use by another \`pnpm start\``);
    expect(living(processesOf(variables))).toHaveLength(EVERY_PART.length);
  });

  test("names the port and the variable when another program uses the port", async () => {
    const other = start({ ...variables, STACK_DIR: join(folder, "other") });
    expect(await other.ended()).toBe(1);
    expect(other.lines.join("\n")).toContain(`Port ${variables["GATEWAY_PORT"]}`);
    expect(other.lines.join("\n")).toContain("set GATEWAY_PORT");
  });

  test("runs beside another stack with its own ports and folder, without sharing users", async () => {
    const beside = await stackVariables(join(folder, "beside"));
    const second = start(beside);
    const url = await second.ready();
    expect(second.lines.some((line) => line.includes("There is no admin yet"))).toBe(true);
    expect(await statusOfLogin(url, "ada@example.com")).toBe(401);
    const processes = processesOf(beside);
    second.kill("SIGTERM");
    expect(await second.ended(), second.lines.join("\n")).toBe(0);
    expect(living(processes)).toEqual([]);
    expect(living(processesOf(variables))).toHaveLength(EVERY_PART.length);
  });

  test("ends the processes of a killed pnpm start and keeps its data", async () => {
    const left = processesOf(variables);
    first.kill("SIGKILL");
    expect(await first.ended()).toBe("SIGKILL");
    expect(living(left).toSorted()).toEqual(EVERY_PART);

    const next = start(variables);
    const url = await next.ready();
    expect(living(left)).toEqual([]);
    expect(await statusOfLogin(url, "ada@example.com")).toBe(200);
    const processes = processesOf(variables);
    next.kill("SIGINT");
    expect(await next.ended(), next.lines.join("\n")).toBe(0);
    expect(living(processes)).toEqual([]);
  });

  test("replaces a stack whose parent pnpm was killed, and keeps its data", async () => {
    const orphan = runStartBelowPnpm(variables);
    running.push(orphan);
    await orphan.ready();
    const left = processesOf(variables);
    orphan.kill("SIGKILL");
    const next = start(variables);
    const url = await next.ready();
    await orphan.ended();
    expect(living(left)).toEqual([]);
    expect(await statusOfLogin(url, "ada@example.com")).toBe(200);
    next.kill("SIGINT");
    expect(await next.ended(), next.lines.join("\n")).toBe(0);
  });

  test("removes all previous data with --fresh", async () => {
    const fresh = start(variables, "--fresh", "--observe");
    const url = await fresh.ready();
    expect(await statusOfLogin(url, "ada@example.com")).toBe(401);
    expect(await statusOfLogin(url, "root@example.com")).toBe(200);
    fresh.kill("SIGINT");
    expect(await fresh.ended(), fresh.lines.join("\n")).toBe(0);
  });

  test("ends its processes with exit code 0 when it is interrupted before it is ready", async () => {
    const interrupted = start(variables);
    await interrupted.says("PostgreSQL: ");
    const processes = processesOf(variables);
    expect(processes.length).toBeGreaterThan(0);
    interrupted.kill("SIGINT");
    expect(await interrupted.ended(), interrupted.lines.join("\n")).toBe(0);
    expect(living(processes)).toEqual([]);
  });

  test("prints the error of a service with an invalid configuration, and ends all other processes", async () => {
    const failing = start({ ...variables, JWT_ALGORITHM: "HS256" });
    expect(await failing.ended()).toBe(1);
    expect(failing.lines.at(-1)).toContain("JWT_ALGORITHM");
    expect(processesOf(variables)).toEqual([]);
  });

  test("names the variable of a port that a foreign program uses", async () => {
    const foreign = createServer().listen(Number(variables["AUTH_PORT"]), "127.0.0.1");
    await once(foreign, "listening");
    const refused = start(variables);
    expect(await refused.ended()).toBe(1);
    expect(refused.lines.join("\n")).toContain("set AUTH_PORT");
    foreign.close();
  });

  test.each([
    ["an unknown option", ["--frech"], "Unknown option '--frech'"],
    ["an argument", ["auth"], "Unexpected argument 'auth'"],
  ])("rejects %s and starts nothing", async (_what, args, message) => {
    const refused = start(variables, ...args);
    expect(await refused.ended()).toBe(1);
    expect(refused.lines.join("\n")).toContain(message);
  });
});
