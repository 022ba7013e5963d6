import { describe, expect, test } from "vitest";
import { parseAck } from "../../src/jetstream/delivered.ts";

const expected = {
  stream: "AUTH_EVENTS",
  sequence: 42,
  deliverySequence: 7,
  deliveries: 3,
  storedNanos: "1795530866788444762",
  storedAt: new Date("2026-11-24T14:34:26.788Z"),
  pending: 9,
};

describe("parseAck", () => {
  test.each([
    ["parses the form of current servers", "$JS.ACK.AUTH_EVENTS.users.3.42.7.1795530866788444762.9"],
    [
      "parses the form with domain and account",
      "$JS.ACK._.ACCOUNT.AUTH_EVENTS.users.3.42.7.1795530866788444762.9.token",
    ],
  ])("%s", (_form, reply) => {
    expect(parseAck(reply)).toEqual(expected);
  });

  test.each(["", "_INBOX.abc", "$JS.ACK.AUTH_EVENTS.users.3"])("rejects %j", (reply) => {
    expect(() => parseAck(reply)).toThrow("not a delivery");
  });
});
