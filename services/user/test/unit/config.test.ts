import { ConfigError } from "@gatehouse/config";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

const environment = {
  USER_DATABASE_URL: "postgres://gatehouse_user:secret@127.0.0.1/gatehouse",
  NATS_URL: "nats://127.0.0.1:4222",
  AUTH_URL: "http://127.0.0.1:8001, http://127.0.0.1:8011",
  INTERNAL_API_TOKEN: "new,old",
  INTROSPECTION_TOKEN: "other",
};

describe("readConfig", () => {
  it("fills a complete environment with the documented defaults", () => {
    expect(readConfig(environment)).toMatchObject({
      host: "127.0.0.1",
      port: 8002,
      authUrls: ["http://127.0.0.1:8001", "http://127.0.0.1:8011"],
      internalToken: "new",
      secureCookies: false,
      verifier: { lifetimeSeconds: 900, maxStalenessSeconds: 5 },
    });
  });

  it("removes slashes at the end of AUTH_URL", () => {
    expect(readConfig({ ...environment, AUTH_URL: "http://auth:8001/, http://auth:8011//" }).authUrls).toEqual([
      "http://auth:8001",
      "http://auth:8011",
    ]);
  });

  it("lists every missing variable of an empty environment", () => {
    const missing = problemsOf({});
    expect(missing).toEqual(["AUTH_URL", "INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN", "NATS_URL", "USER_DATABASE_URL"]);
  });

  it("rejects debugging, short secrets and cookies without Secure in production", () => {
    const problems = problemsOf({ ...environment, ENVIRONMENT: "production", DEBUG: "true", SECURE_COOKIES: "false" });
    expect(problems).toEqual(["DEBUG", "INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN", "SECURE_COOKIES"]);
  });

  it("sets the log level to debug when DEBUG is true", () => {
    expect(readConfig({ ...environment, DEBUG: "true" }).logLevel).toBe("debug");
  });
});

function problemsOf(values: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(values);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ name }) => name).toSorted();
    throw error;
  }
  return [];
}
