import { expect, test } from "vitest";
import { busAddress } from "../../src/bus-address.ts";

test.each([
  ["nats://127.0.0.1:4222", { servers: ["127.0.0.1:4222"] }],
  ["nats.internal", { servers: ["nats.internal:4222"] }],
  ["nats://[::1]:5000", { servers: ["[::1]:5000"] }],
  ["nats://a:1, nats://b:2,", { servers: ["a:1", "b:2"] }],
  [
    "nats://auth:p%40ss@a:1,nats://b:2",
    { servers: ["a:1", "b:2"], user: "auth", pass: "p@ss", inboxPrefix: "_INBOX.auth" },
  ],
  ["nats://audit-log:pass@a:1", { servers: ["a:1"], user: "audit-log", pass: "pass", inboxPrefix: "_INBOX.audit-log" }],
  // No inbox prefix: the user name is not exactly one token of a subject.
  ["nats://a%20user:pass@a:1", { servers: ["a:1"], user: "a user", pass: "pass" }],
  ["nats://a.user:pass@a:1", { servers: ["a:1"], user: "a.user", pass: "pass" }],
  ["nats://sometoken@a:1", { servers: ["a:1"], token: "sometoken" }],
  ["tls://a:1", { servers: ["a:1"], tls: {} }],
])("busAddress parses %s", (url, expected) => {
  expect(busAddress(url)).toEqual(expected);
});
