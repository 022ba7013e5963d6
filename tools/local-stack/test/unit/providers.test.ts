import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lookForDockerEngine } from "../../src/providers/docker-engine.ts";
import { lookOnMachine } from "../../src/providers/on-machine.ts";
import {
  chooseSource,
  chooseSources,
  lookEmbedded,
  lookInEnvironment,
  NoProviderError,
  type Provider,
  providersFor,
  testProvidersFor,
  testStackChoice,
} from "../../src/providers/providers.ts";
import type { Part, Source } from "../../src/servers/types.ts";
import { programs } from "../fixtures/scratch.ts";

const url: Source = { kind: "url", url: "nats://10.0.0.1:4222", label: "NATS_URL of the environment" };
const lacks = (name: string, reason: string): Provider => ({ name, look: async () => ({ reason }) });
const serves = (name: string): Provider => ({ name, look: async () => ({ source: url }) });

describe("chooseSource", () => {
  test("takes the first source and asks no later provider", async () => {
    const unasked: Provider = { name: "Docker", look: () => Promise.reject(new Error("it was asked")) };
    expect(await chooseSource("nats", [lacks("environment", "not set"), serves("machine"), unasked])).toBe(url);
  });

  test("reports a server that is too old", async () => {
    const notes: string[] = [];
    const tooOld = lacks("this machine", "/usr/bin/postgres is version 15.1, 17.0 is needed for the locale provider");
    await chooseSource("postgres", [lacks("environment", "not set"), tooOld, serves("embedded")], (line) =>
      notes.push(line),
    );
    expect(notes).toEqual([expect.stringContaining("15.1")]);
  });

  test.each(["postgres", "nats", "redis"] as const)(
    "names each provider's reason and the ways to help when none has %s",
    async (part) => {
      const failure = chooseSource(part, [lacks("environment", "not set"), lacks("Docker", "no engine answers")]);
      await expect(failure).rejects.toBeInstanceOf(NoProviderError);
      await expect(failure).rejects.toThrow(
        /cannot be provided on this machine:\n {2}- environment: not set\n {2}- Docker: no engine answers\nWays to provide it: set /,
      );
    },
  );

  test("looks for several parts and names the missing one", async () => {
    const providers = (part: Part) => (part === "redis" ? [lacks("Debian", "offline")] : [serves("environment")]);
    expect(await chooseSources(["nats", "postgres"], providers, () => {})).toEqual({ nats: url, postgres: url });
    await expect(chooseSources(["nats", "redis"], providers, () => {})).rejects.toThrow("Redis cannot be provided");
  });
});

describe("the order of providers", () => {
  const options = { environment: {}, cacheFolder: "/nowhere", note: () => {} };
  const names = (providers: readonly Provider[]) => providers.map(({ name }) => name);

  test("is fixed for pnpm start", () => {
    const order = ["environment", "this machine", "embedded", "Docker", "Debian"];
    expect(names(providersFor("nats", options))).toEqual(order);
  });

  test.each([
    ["auto", ["Docker", "this machine", "embedded", "Debian"]],
    ["docker", ["Docker"]],
    ["local", ["this machine", "embedded", "Debian"]],
  ] as const)("excludes the servers of others in tests with TEST_STACK=%s", (choice, order) => {
    expect(names(testProvidersFor("nats", choice, options))).toEqual(order);
  });

  test("defaults to auto and rejects unknown values of TEST_STACK", () => {
    expect([{}, { TEST_STACK: "" }, { TEST_STACK: "local" }].map(testStackChoice)).toEqual(["auto", "auto", "local"]);
    expect(() => testStackChoice({ TEST_STACK: "container" })).toThrow("TEST_STACK must be auto, docker or local");
  });
});

describe("a source from the environment", () => {
  test.each([
    ["postgres", { DATABASE_URL: "postgres://a@b/c", POSTGRES_HOST: "d" }, "postgres://a@b/c"],
    ["postgres", { POSTGRES_HOST: "db" }, "postgres://postgres@db:5432/gatehouse"],
    [
      "postgres",
      { POSTGRES_HOST: "db", POSTGRES_PORT: "5433", POSTGRES_USER: "o", POSTGRES_PASSWORD: "p@ss", POSTGRES_DB: "x" },
      "postgres://o:p%40ss@db:5433/x",
    ],
    ["nats", { NATS_URL: "nats://n:4222" }, "nats://n:4222"],
    ["redis", { REDIS_URL: "redis://r:1", REDIS_HOST: "other" }, "redis://r:1"],
    ["redis", { REDIS_HOST: "r" }, "redis://r:6379"],
    ["redis", { REDIS_HOST: "r", REDIS_PORT: "7", REDIS_PASSWORD: "p:w" }, "redis://:p%3Aw@r:7"],
  ] as const)("is the URL of %s: %j", (part, environment, expected) => {
    expect(lookInEnvironment(part, environment)).toMatchObject({ source: { kind: "url", url: expected } });
  });

  test("ignores empty variables", () => {
    const environment = { NATS_URL: "", DATABASE_URL: "", POSTGRES_PORT: "5432", REDIS_PASSWORD: "x" };
    for (const part of ["postgres", "nats", "redis"] as const)
      expect(lookInEnvironment(part, environment)).toMatchObject({ reason: expect.stringContaining("not set") });
  });
});

describe("a source on the machine", () => {
  test.each([
    ["new enough", "echo 'nats-server: v2.12.1'", true],
    ["the oldest that will do", "echo 'nats-server: v2.9.0'", true],
    ["too old", "echo 'nats-server: v2.8.4'", false],
    ["one that does not tell its version", "echo unknown", false],
    ["one that does not run", "exit 127", false],
  ])("%s", async (_what, script, taken) => {
    const folder = programs({ "nats-server": script });
    const look = await lookOnMachine("nats", { PATH: folder });
    // Where it is not taken, one that this machine really has may be.
    expect(JSON.stringify(look).includes(`"command":"${folder}/nats-server"`)).toBe(taken);
  });

  test("is PostgreSQL's folder only when it has initdb", async () => {
    const postgres = "echo 'postgres (PostgreSQL) 18.0'";
    const bare = programs({ postgres });
    expect(JSON.stringify(await lookOnMachine("postgres", { PATH: bare }))).not.toContain(`"command":"${bare}`);
    const whole = programs({ postgres, initdb: "exit 0" });
    expect(await lookOnMachine("postgres", { PATH: whole })).toMatchObject({ source: { command: whole } });
  });

  test("is embedded for PostgreSQL only", async () => {
    expect(await lookEmbedded("postgres")).toMatchObject({ source: { kind: "program" } });
    expect(await lookEmbedded("nats")).toHaveProperty("reason");
  });
});

/** Creates a fake `docker` command that records its arguments and prints the output of the first pattern that matches. */
function dockerThat(answers: Readonly<Record<string, string>>) {
  const cases = Object.entries(answers).map(([pattern, script]) => `${pattern}) ${script} ;;`);
  const folder = programs({ docker: `echo "$*" >> "$0.log"\ncase "$*" in\n${cases.join("\n")}\n*) exit 1 ;;\nesac` });
  const asked = () => readFileSync(`${folder}/docker.log`, "utf8").trim().split("\n");
  return { environment: { PATH: folder }, asked };
}

describe("a source from Docker", () => {
  const look = (environment: NodeJS.ProcessEnv, notes: string[] = []) =>
    lookForDockerEngine("redis", { environment, note: (line) => notes.push(line) });
  const engine = { "version*": "echo 28" };

  test("is missing without a command or an engine", async () => {
    expect(await look({ PATH: "/nowhere" })).toEqual({ reason: "no Docker engine answers" });
    expect(await look(dockerThat({}).environment)).toEqual({ reason: "no Docker engine answers" });
  });

  test("is a present image, without a pull", async () => {
    const { environment, asked } = dockerThat({ ...engine, "image*redis:8": "exit 0" });
    expect(await look(environment)).toMatchObject({ source: { kind: "docker", image: "redis:8" } });
    expect(asked()).toHaveLength(2);
  });

  test("is pulled when missing, with a note", async () => {
    const notes: string[] = [];
    const { environment } = dockerThat({ ...engine, "manifest*redis:8": "exit 0", "pull*redis:8": "exit 0" });
    expect(await look(environment, notes)).toHaveProperty("source");
    expect(notes).toEqual(["pulling the Docker image redis:8"]);
  });

  test.each([
    ["the registry does not answer", {}, "the Docker engine cannot get redis:8"],
    [
      "the disk is full",
      { "manifest*": "exit 0", "pull*": "echo no space left >&2; exit 1" },
      "the Docker engine cannot get redis:8: no space left",
    ],
  ])("is missing when the image cannot be pulled: %s", async (_what, answers, reason) => {
    expect(await look(dockerThat({ ...engine, ...answers }).environment)).toEqual({ reason });
  });
});
