import { expect, test } from "vitest";
import { readConfig } from "../../src/config.ts";

const environment = {
  AUDIT_DATABASE_URL: "postgres://gatehouse_audit:secret@127.0.0.1/gatehouse",
  NATS_URL: "nats://127.0.0.1:4222",
  AUTH_URL: "http://127.0.0.1:8001",
  INTROSPECTION_TOKEN: "new,old",
};

test("readConfig has the defaults of the other services", () => {
  expect(readConfig(environment)).toMatchObject({
    host: "127.0.0.1",
    port: 8003,
    verifier: { authUrls: ["http://127.0.0.1:8001"], introspectionToken: "new", lifetimeSeconds: 900 },
  });
});

test("readConfig names every missing variable", () => {
  for (const name of Object.keys(environment)) expect(() => readConfig({})).toThrow(name);
});

test("readConfig rejects a short secret in production", () => {
  expect(() => readConfig({ ...environment, ENVIRONMENT: "production" })).toThrow("INTROSPECTION_TOKEN");
});
