import { EventFormatError, newId } from "@gatehouse/contracts";
import { createEvent } from "@gatehouse/messaging";
import { describe, expect, it } from "vitest";
import { factOfDeletion } from "../../src/services/account-facts.ts";
import { versionOf } from "../../src/events/facts.ts";

describe("what happens when an event of an account has no version", () => {
  it("it is refused, since it cannot be put in order", () => {
    const id = newId();
    const data = { user_id: id, soft: true, token_version: 2 };
    const event = createEvent({ source: "auth", type: "auth.account.deleted", subject: id, data });
    expect(() => versionOf(event)).toThrow(EventFormatError);
  });
});

describe("what happens when auth answers a deletion", () => {
  const now = new Date("2026-01-01T00:00:00Z");

  it("one without a time is an erasure, which became known now", () => {
    expect(factOfDeletion({ id: "x", version: 3, deleted_at: null }, now)).toEqual({
      kind: "erasure",
      id: "x",
      version: 3,
      at: now,
    });
  });
});
