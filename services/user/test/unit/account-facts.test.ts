import { EventFormatError, newId } from "@gatehouse/contracts";
import { createEvent } from "@gatehouse/messaging";
import { describe, expect, it } from "vitest";
import { versionOf } from "../../src/events/account-event-facts.ts";
import { deletionFact } from "../../src/services/account-facts.ts";

describe("versionOf", () => {
  it("rejects an account event without a version", () => {
    const id = newId();
    const data = { user_id: id, soft: true, token_version: 2 };
    const event = createEvent({ source: "auth", type: "auth.account.deleted", subject: id, data });
    expect(() => versionOf(event)).toThrow(EventFormatError);
  });
});

describe("deletionFact", () => {
  const now = new Date("2026-01-01T00:00:00Z");

  it("returns an erasure as of now for a response without a time", () => {
    expect(deletionFact({ id: "x", version: 3, deleted_at: null }, now)).toEqual({
      kind: "erasure",
      id: "x",
      version: 3,
      at: now,
    });
  });
});
