import { ConfigError } from "@gatehouse/config";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const MINIMAL = {
  NATS_URL: "nats://127.0.0.1:4222",
  AUTH_URL: "http://127.0.0.1:8001",
  USER_URL: "http://127.0.0.1:8002",
  INTROSPECTION_TOKEN: SECRET,
};
const PRODUCTION = { ...MINIMAL, ENVIRONMENT: "production", ALLOWED_HOSTS: "api.example.com" };

function problemsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems.map(({ name }) => name);
  }
  return [];
}

describe("the gateway's configuration", () => {
  it("has defaults for all optional variables", () => {
    const config = readConfig(MINIMAL);
    expect(config).toMatchObject({
      environment: "development",
      host: "127.0.0.1",
      port: 8000,
      allowedHosts: [],
      corsOrigins: [],
      trustedProxies: [],
      redisUrl: undefined,
      verifier: { lifetimeSeconds: 900, maxStalenessSeconds: 5 },
      rates: {
        default: { limit: 120, seconds: 60 },
        login: { limit: 1, seconds: 1 },
        register: { limit: 10, seconds: 60 },
      },
    });
  });

  it("listens on every interface outside development, unless HOST says otherwise", () => {
    expect(readConfig({ ...MINIMAL, ENVIRONMENT: "test" }).host).toBe("0.0.0.0");
    expect(readConfig({ ...PRODUCTION, HOST: "10.0.0.1" }).host).toBe("10.0.0.1");
  });

  it("sends the first introspection token of the list", () => {
    expect(readConfig({ ...MINIMAL, INTROSPECTION_TOKEN: `${SECRET},another` }).verifier.introspectionToken).toBe(
      SECRET,
    );
  });

  it("accepts several replicas per service", () => {
    const config = readConfig({ ...MINIMAL, AUTH_URL: "http://a:1, http://b:2" });
    expect(config.upstreamUrls.auth).toEqual(["http://a:1", "http://b:2"]);
  });

  it("builds the Redis URL from host, port and password, and prefers REDIS_URL", () => {
    const parts = { REDIS_HOST: "cache", REDIS_PORT: "6380", REDIS_PASSWORD: "p@ss/word" };
    expect(readConfig({ ...MINIMAL, ...parts }).redisUrl).toBe("redis://:p%40ss%2Fword@cache:6380");
    expect(readConfig({ ...MINIMAL, REDIS_HOST: "::1" }).redisUrl).toBe("redis://[::1]:6379");
    expect(readConfig({ ...MINIMAL, ...parts, REDIS_URL: "redis://other:1" }).redisUrl).toBe("redis://other:1");
  });

  it("limits nothing when RATE_LIMIT_ENABLED is false", () => {
    expect(readConfig({ ...MINIMAL, RATE_LIMIT_ENABLED: "false" }).rates).toBeNull();
  });

  it("reads an ALLOWED_HOSTS wildcard as any host in development", () => {
    expect(readConfig({ ...MINIMAL, ALLOWED_HOSTS: "*" }).allowedHosts).toEqual([]);
  });

  it.each([
    ["api.example.com", true],
    ["localhost:8000", true],
    ["*.example.com,[::1]:80", true],
    ["https://api.example.com", false],
    ["api.*.com", false],
    ["api.example.com/x", false],
  ])("reads ALLOWED_HOSTS=%s as valid: %s", (hosts, valid) => {
    expect(problemsOf({ ...MINIMAL, ALLOWED_HOSTS: hosts })).toEqual(valid ? [] : ["ALLOWED_HOSTS"]);
  });

  it("logs more when DEBUG asks for it", () => {
    expect(readConfig({ ...MINIMAL, DEBUG: "true" }).logLevel).toBe("debug");
    expect(readConfig({ ...MINIMAL, DEBUG: "true", LOG_LEVEL: "error" }).logLevel).toBe("error");
  });

  it("reports every invalid variable and no value", () => {
    const wrong = {
      ENVIRONMENT: "staging",
      GATEWAY_PORT: "eighty",
      AUTH_URL: "ftp://x",
      NATS_URL: "nats://n",
      CORS_ORIGINS: "https://app.example.com/path",
      TRUSTED_PROXIES: "10.0.0.0/64",
      RATE_LIMIT_DEFAULT: "lots",
      REDIS_URL: "http://redis",
    };
    expect(problemsOf(wrong).toSorted()).toEqual([
      "AUTH_URL",
      "CORS_ORIGINS",
      "ENVIRONMENT",
      "GATEWAY_PORT",
      "INTROSPECTION_TOKEN",
      "RATE_LIMIT_DEFAULT",
      "REDIS_URL",
      "TRUSTED_PROXIES",
      "USER_URL",
    ]);
    expect(() => readConfig(wrong)).not.toThrow(/eighty|ftp:|staging|lots/);
  });

  it.each([
    ["a wildcard origin", { CORS_ORIGINS: "https://a.example.com,*" }, "CORS_ORIGINS"],
    ["no allowed hosts", { ALLOWED_HOSTS: "" }, "ALLOWED_HOSTS"],
    ["a wildcard for all hosts", { ALLOWED_HOSTS: "*" }, "ALLOWED_HOSTS"],
    ["DEBUG", { DEBUG: "true" }, "DEBUG"],
    ["a short introspection token", { INTROSPECTION_TOKEN: "short" }, "INTROSPECTION_TOKEN"],
    ["a short second introspection token", { INTROSPECTION_TOKEN: `${SECRET},short` }, "INTROSPECTION_TOKEN"],
    ["the example's token", { INTROSPECTION_TOKEN: `change-me-${SECRET}` }, "INTROSPECTION_TOKEN"],
  ])("refuses %s in production, and nothing else", (_what, change, name) => {
    expect(problemsOf({ ...PRODUCTION, ...change })).toEqual([name]);
    expect(problemsOf({ ...MINIMAL, ...change })).toEqual([]);
  });

  it("starts in production with a subdomain wildcard and listed origins", () => {
    expect(
      problemsOf({ ...PRODUCTION, ALLOWED_HOSTS: "*.example.com", CORS_ORIGINS: "https://app.example.com" }),
    ).toEqual([]);
  });

  it.each([
    ["10.0.0.0/8", true],
    ["192.168.1.1", true],
    ["fd00::/8", true],
    ["::1", true],
    ["10.0.0.0/33", false],
    ["10.0.0.0/", false],
    ["10.0.0.0/8/8", false],
    ["loopback", false],
    ["1", false],
  ])("reads the trusted proxy %s as valid: %s", (item, valid) => {
    expect(problemsOf({ ...MINIMAL, TRUSTED_PROXIES: item })).toEqual(valid ? [] : ["TRUSTED_PROXIES"]);
  });
});
