import { newId, profileOf, timeOfId } from "@gatehouse/contracts";
import { isAppError } from "@gatehouse/errors";
import { describe, expect, it } from "vitest";
import type { UserRecord } from "../../src/repositories/user-record.repository.ts";
import {
  type AccountFact,
  applyFact,
  applyRules,
  changeProfile,
  type Fact,
  type UserEvent,
} from "../../src/services/user-rules.ts";
import { permutations } from "../permutations.ts";

const id = newId();
const at = (second: number) => new Date(timeOfId(id).getTime() + second * 1000);

function account(version: number, changes: Partial<AccountFact> = {}): AccountFact {
  return {
    kind: "account",
    id,
    version,
    at: at(version),
    email: "ann@example.com",
    role: "user",
    isActive: true,
    isVerified: false,
    deletedAt: null,
    ...changes,
  };
}

const created = account(1, { profile: profileOf({ full_name: "Ann" }) });
const moved = account(2, { email: "ann@example.org" });
const promoted = account(3, { email: "ann@example.org", role: "admin", isVerified: true });
const deleted: Fact = { kind: "deletion", id, version: 4, deletedAt: at(4) };
const restored = account(5, { email: "ann@example.org", role: "admin", isVerified: true });
const deletedAgain: Fact = { kind: "deletion", id, version: 6, deletedAt: at(6) };
const erased: Fact = { kind: "erasure", id, version: 7, at: at(7) };

function applyAll(facts: readonly Fact[], record: UserRecord = {}) {
  const events: UserEvent[] = [];
  for (const fact of facts) {
    const change = applyFact(record, fact);
    record = change.record;
    events.push(...change.events);
  }
  return { record, events };
}

/** Every history registers once and first, has versions without gaps, and alternates deletion and restoration. */
function expectCoherent(events: readonly UserEvent[]): void {
  expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
  let deletedNow = false;
  events.forEach(({ type, data }, index) => {
    if (type === "user.registered") expect(index).toBe(0);
    if (type === "user.restored") expect(deletedNow).toBe(true);
    if (type === "user.deleted" && data.soft) expect(deletedNow).toBe(false);
    if (type === "user.deleted") deletedNow = true;
    if (type === "user.restored") deletedNow = false;
  });
}

describe("account facts in any order", () => {
  const histories: [string, Fact[]][] = [
    ["an active user", [created, moved, promoted]],
    ["a soft-deleted user", [created, moved, promoted, deleted]],
    ["a restored user", [created, moved, promoted, deleted, restored]],
    ["a user deleted twice", [created, moved, promoted, deleted, restored, deletedAgain]],
    ["an erased user", [created, moved, promoted, deleted, restored, deletedAgain, erased]],
  ];

  it.each(histories)("end in the same record: %s", (_name, facts) => {
    const expected = applyAll(facts).record;
    for (const order of permutations(facts)) {
      const { record, events } = applyAll(order);
      // The number of deletion events depends on the order; the final record does not.
      const { version: _, ...user } = record.user ?? { version: 0 };
      const { version: __, ...expectedUser } = expected.user ?? { version: 0 };
      expect({ ...record, user }).toEqual({ ...expected, user: expectedUser });
      expect(record.user?.version ?? 0).toBe(record.user ? events.length : 0);
      const registrations = events.filter(({ type }) => type === "user.registered");
      if (record.user) expect(registrations).toHaveLength(1);
      if (!record.tombstone) expectCoherent(events);
    }
  });

  it.each(histories)("end in the same record when every fact arrives twice: %s", (_name, facts) => {
    const once = applyAll(facts);
    expect(applyAll([...facts, ...facts])).toEqual(once);
    expect(applyAll(facts.flatMap((fact) => [fact, fact]))).toEqual(once);
  });

  it("publish one erasure, and nothing after it", () => {
    for (const order of permutations([created, promoted, deleted, erased])) {
      const { record, events } = applyAll([...order, ...order]);
      expect(record).toEqual({ tombstone: { id, version: 7, deletedAt: at(7) } });
      expect(events.at(-1)).toMatchObject({ type: "user.deleted", data: { soft: false } });
      expect(events.filter(({ data }) => "soft" in data && !data.soft)).toHaveLength(1);
    }
  });
});

describe("a soft deletion that arrives before an older account change", () => {
  it("does not hide the change", () => {
    const { record } = applyAll([created, deleted, moved]);
    expect(record.user).toMatchObject({
      email: "ann@example.org",
      deletedAt: at(4),
      accountVersion: 2,
      deletionVersion: 4,
    });
  });
});

describe("an account change that arrives before the creation", () => {
  it("creates the user without a profile; the creation registers it", () => {
    const early = applyAll([promoted]);
    expect(early.record.user).toMatchObject({
      profile: { full_name: null },
      isRegistered: false,
      version: 0,
      role: "admin",
    });
    expect(early.events).toEqual([]);
    const late = applyAll([created], early.record);
    expect(late.record.user).toMatchObject({
      profile: { full_name: "Ann" },
      isRegistered: true,
      version: 1,
      role: "admin",
    });
    expect(late.events).toEqual([
      {
        type: "user.registered",
        version: 1,
        data: { user_id: id, email: "ann@example.org", ...profileOf({ full_name: "Ann" }) },
      },
    ]);
  });
});

describe("changeProfile", () => {
  const { record } = applyAll([created]);

  it("raises the version and publishes the change for a different value", () => {
    const { record: after, events } = changeProfile(record, { full_name: "Ann Smith" }, at(9));
    expect(after.user).toMatchObject({ profile: { full_name: "Ann Smith" }, version: 2, updatedAt: at(9) });
    expect(events).toEqual([
      {
        type: "user.profile.updated",
        version: 2,
        data: { user_id: id, ...profileOf({ full_name: "Ann Smith" }), changed: ["full_name"] },
      },
    ]);
  });

  it("changes nothing for the same value", () => {
    expect(changeProfile(record, { full_name: "Ann" }, at(9))).toEqual({ record, events: [] });
  });

  it("keeps a value that was set before the creation arrived", () => {
    const named = changeProfile(applyAll([moved]).record, { full_name: null }, at(9));
    expect(named.events.map(({ type }) => type)).toEqual(["user.registered", "user.profile.updated"]);
    expect(applyFact(named.record, created)).toEqual({ record: named.record, events: [] });
  });

  it.each([
    ["unknown", {}],
    ["soft-deleted", applyAll([created, deleted]).record],
    ["erased", applyAll([created, erased]).record],
  ])("throws UserNotFound for a user that is %s", (_name, missing: UserRecord) => {
    expect(() => changeProfile(missing, { full_name: "Ann" }, at(9))).toThrow(
      expect.toSatisfy((error) => isAppError(error, "UserNotFound")),
    );
  });
});

describe("applyRules", () => {
  const { record } = applyAll([created]);

  it("returns the events of all rules in their order", () => {
    const { record: after, events } = applyRules(
      record,
      (before) => applyFact(before, deleted),
      (before) => applyFact(before, restored),
      (before) => changeProfile(before, { full_name: null }, at(9)),
    );
    expect(after.user).toMatchObject({ profile: { full_name: null }, version: 4 });
    expect(events.map(({ type }) => type)).toEqual(["user.deleted", "user.restored", "user.profile.updated"]);
  });
});
