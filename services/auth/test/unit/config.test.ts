import { availableParallelism } from "node:os";
import { ConfigError } from "@gatehouse/config";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

const development = {
  AUTH_DATABASE_URL: "postgres://gatehouse_auth:x@localhost/gatehouse",
  NATS_URL: "nats://localhost:4222",
  JWT_SECRET_KEY: "short",
  INTERNAL_API_TOKEN: "short",
  INTROSPECTION_TOKEN: "short",
};
const strong = (letter: string) => letter.repeat(32);
const production = {
  ...development,
  ENVIRONMENT: "production",
  JWT_SECRET_KEY: strong("a"),
  INTERNAL_API_TOKEN: strong("b"),
  INTROSPECTION_TOKEN: strong("c"),
};

function problemsOf(environment: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    return (error as ConfigError).problems.map(({ name }) => name);
  }
}

describe("readConfig", () => {
  it("returns the documented defaults", () => {
    expect(readConfig(development)).toMatchObject({
      host: "127.0.0.1",
      port: 8001,
      secureCookies: false,
      database: { poolSize: 10, maxOverflow: 20, timeoutSeconds: 30, recycleSeconds: 3600 },
      tokens: {
        algorithm: "EdDSA",
        accessTokenSeconds: 900,
        refreshTokenSeconds: 604_800,
        sessionSeconds: 7_776_000,
        reuseGraceSeconds: 0,
      },
      hashing: { memoryKib: 19_456, timeCost: 2, parallelism: 1 },
      softDeleteRetentionDays: 30,
    });
    expect(readConfig(production)).toMatchObject({ host: "0.0.0.0", secureCookies: true });
  });

  it("divides the cores for hashing among the workers of a host", () => {
    const hashesAtATime = (environment: NodeJS.ProcessEnv) =>
      readConfig({ ...development, ...environment }).hashing.concurrency;
    expect(hashesAtATime({})).toBe(availableParallelism());
    expect(hashesAtATime({ WEB_CONCURRENCY: "2" })).toBe(Math.max(1, Math.floor(availableParallelism() / 2)));
    expect(hashesAtATime({ WEB_CONCURRENCY: "64" })).toBeLessThanOrEqual(Math.max(1, availableParallelism() / 64));
    expect(hashesAtATime({ WEB_CONCURRENCY: "2", PASSWORD_HASH_CONCURRENCY: "3" })).toBe(3);
  });

  it("lists every invalid variable by name, without values", () => {
    const wrong = { AUTH_PORT: "eighty", DB_POOL_SIZE: "-1", JWT_ALGORITHM: "HS256", TRUSTED_PROXIES: "gateway" };
    const environment = { ...wrong, NATS_URL: "" };
    const error = (() => {
      try {
        return readConfig(environment);
      } catch (caught) {
        return caught as ConfigError;
      }
    })() as ConfigError;
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.problems.map(({ name }) => name).toSorted()).toEqual([
      "AUTH_DATABASE_URL",
      "AUTH_PORT",
      "DB_POOL_SIZE",
      "INTERNAL_API_TOKEN",
      "INTROSPECTION_TOKEN",
      "JWT_ALGORITHM",
      "JWT_SECRET_KEY",
      "NATS_URL",
      "TRUSTED_PROXIES",
    ]);
    expect(error.message).not.toContain("eighty");
  });

  it.each(["HS256", "HS512", "none", "PS256"])("rejects JWT_ALGORITHM %s", (algorithm) => {
    expect(problemsOf({ ...development, JWT_ALGORITHM: algorithm })).toEqual(["JWT_ALGORITHM"]);
  });

  it.each([
    ["DEBUG", { DEBUG: "true" }],
    ["SECURE_COOKIES", { SECURE_COOKIES: "false" }],
    ["JWT_SECRET_KEY", { JWT_SECRET_KEY: strong("a").slice(1) }],
    ["JWT_SECRET_KEY", { JWT_SECRET_KEY: `${strong("a")},too-short` }],
    ["INTERNAL_API_TOKEN", { INTERNAL_API_TOKEN: "change-me-to-a-long-random-text-of-your-own" }],
    ["INTROSPECTION_TOKEN", { INTROSPECTION_TOKEN: "short" }],
    ["FIRST_ADMIN_PASSWORD", { FIRST_ADMIN_EMAIL: "a@example.com", FIRST_ADMIN_PASSWORD: "change-me-first-admin" }],
  ])("rejects a weak %s in production", (name, override) => {
    expect(problemsOf(production)).toEqual([]);
    expect(problemsOf({ ...production, ...override })).toEqual([name]);
    expect(problemsOf({ ...development, ...override })).toEqual([]);
  });

  it.each([
    ["nats://a:4222, tls://b", []],
    ["bus.internal", []],
    ["not a url", ["NATS_URL"]],
    ["http://a:4222", ["NATS_URL"]],
    [" , ", ["NATS_URL"]],
    ["nats://a,nats://", ["NATS_URL"]],
  ])("validates every address of NATS_URL: %s", (url, problems) => {
    expect(problemsOf({ ...development, NATS_URL: url })).toEqual(problems);
  });

  it("accepts several secrets for rotation", () => {
    expect(readConfig({ ...development, JWT_SECRET_KEY: "new, old" }).tokens.secrets).toEqual(["new", "old"]);
  });

  it("requires FIRST_ADMIN_PASSWORD with FIRST_ADMIN_EMAIL", () => {
    expect(problemsOf({ ...development, FIRST_ADMIN_EMAIL: "root@example.com" })).toEqual(["FIRST_ADMIN_PASSWORD"]);
  });

  it("requires 8 KiB of memory for each degree of ARGON2_PARALLELISM", () => {
    expect(problemsOf({ ...development, ARGON2_MEMORY_KIB: "15", ARGON2_PARALLELISM: "2" })).toEqual([
      "ARGON2_MEMORY_KIB",
    ]);
  });
});
