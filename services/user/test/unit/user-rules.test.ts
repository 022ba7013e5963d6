import { newId, timeOfId } from "@gatehouse/contracts";
import { isAppError } from "@gatehouse/errors";
import { describe, expect, it } from "vitest";
import type { Known } from "../../src/repositories/user-record.repository.ts";
import {
  type AccountFact,
  type Announcement,
  changeProfile,
  type Fact,
  inTurn,
  learn,
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

const created = account(1, { profile: { full_name: "Ann" } });
const moved = account(2, { email: "ann@example.org" });
const promoted = account(3, { email: "ann@example.org", role: "admin", isVerified: true });
const deleted: Fact = { kind: "deletion", id, version: 4, deletedAt: at(4) };
const restored = account(5, { email: "ann@example.org", role: "admin", isVerified: true });
const deletedAgain: Fact = { kind: "deletion", id, version: 6, deletedAt: at(6) };
const erased: Fact = { kind: "erasure", id, version: 7, at: at(7) };

function learnAll(facts: readonly Fact[], known: Known = {}) {
  const announcements: Announcement[] = [];
  for (const fact of facts) {
    const change = learn(known, fact);
    known = change.known;
    announcements.push(...change.announcements);
  }
  return { known, announcements };
}

/** What must hold of every history: registered once and first, versions without a gap, deletion and return in turn. */
function expectCoherent(announcements: readonly Announcement[]): void {
  expect(announcements.map(({ version }) => version)).toEqual(announcements.map((_, index) => index + 1));
  let deletedNow = false;
  announcements.forEach(({ type, data }, index) => {
    if (type === "user.registered") expect(index).toBe(0);
    if (type === "user.restored") expect(deletedNow).toBe(true);
    if (type === "user.deleted" && data.soft) expect(deletedNow).toBe(false);
    if (type === "user.deleted") deletedNow = true;
    if (type === "user.restored") deletedNow = false;
  });
}

describe("what happens when the facts of an account come in any order", () => {
  const histories: [string, Fact[]][] = [
    ["a user that lives", [created, moved, promoted]],
    ["a user that is soft-deleted", [created, moved, promoted, deleted]],
    ["a user that is restored", [created, moved, promoted, deleted, restored]],
    ["a user that is deleted twice", [created, moved, promoted, deleted, restored, deletedAgain]],
    ["a user that is erased", [created, moved, promoted, deleted, restored, deletedAgain, erased]],
  ];

  it.each(histories)("%s ends as the same record", (_name, facts) => {
    const expected = learnAll(facts).known;
    for (const order of permutations(facts)) {
      const { known, announcements } = learnAll(order);
      // How often a user was announced as deleted depends on what was heard; what it is in the end does not.
      const { version: _, ...user } = known.user ?? { version: 0 };
      const { version: __, ...expectedUser } = expected.user ?? { version: 0 };
      expect({ ...known, user }).toEqual({ ...expected, user: expectedUser });
      expect(known.user?.version ?? 0).toBe(known.user ? announcements.length : 0);
      const registrations = announcements.filter(({ type }) => type === "user.registered");
      if (known.user) expect(registrations).toHaveLength(1);
      if (!known.tombstone) expectCoherent(announcements);
    }
  });

  it.each(histories)("%s ends as the same record when every fact comes twice", (_name, facts) => {
    const once = learnAll(facts);
    expect(learnAll([...facts, ...facts])).toEqual(once);
    expect(learnAll(facts.flatMap((fact) => [fact, fact]))).toEqual(once);
  });

  it("an erasure is announced exactly once and nothing comes after it", () => {
    for (const order of permutations([created, promoted, deleted, erased])) {
      const { known, announcements } = learnAll([...order, ...order]);
      expect(known).toEqual({ tombstone: { id, version: 7, deletedAt: at(7) } });
      expect(announcements.at(-1)).toMatchObject({ type: "user.deleted", data: { soft: false } });
      expect(announcements.filter(({ data }) => "soft" in data && !data.soft)).toHaveLength(1);
    }
  });
});

describe("what happens when a soft deletion overtakes an older change of the account", () => {
  it("the change is still taken in", () => {
    const { known } = learnAll([created, deleted, moved]);
    expect(known.user).toMatchObject({
      email: "ann@example.org",
      deletedAt: at(4),
      accountVersion: 2,
      deletionVersion: 4,
    });
  });
});

describe("what happens when a change of the account overtakes its creation", () => {
  it("the user is there without a name and is announced only when its creation comes", () => {
    const early = learnAll([promoted]);
    expect(early.known.user).toMatchObject({
      profile: { full_name: null },
      isRegistered: false,
      version: 0,
      role: "admin",
    });
    expect(early.announcements).toEqual([]);
    const late = learnAll([created], early.known);
    expect(late.known.user).toMatchObject({
      profile: { full_name: "Ann" },
      isRegistered: true,
      version: 1,
      role: "admin",
    });
    expect(late.announcements).toEqual([
      { type: "user.registered", version: 1, data: { user_id: id, email: "ann@example.org", full_name: "Ann" } },
    ]);
  });
});

describe("what happens when the profile is changed", () => {
  const { known } = learnAll([created]);

  it("another name raises the version and is announced", () => {
    const { known: after, announcements } = changeProfile(known, { full_name: "Ann Smith" }, at(9));
    expect(after.user).toMatchObject({ profile: { full_name: "Ann Smith" }, version: 2, updatedAt: at(9) });
    expect(announcements).toEqual([
      {
        type: "user.profile.updated",
        version: 2,
        data: { user_id: id, full_name: "Ann Smith", changed: ["full_name"] },
      },
    ]);
  });

  it("the same name changes nothing", () => {
    expect(changeProfile(known, { full_name: "Ann" }, at(9))).toEqual({ known, announcements: [] });
  });

  it("a name given before the creation was heard of stays", () => {
    const named = changeProfile(learnAll([moved]).known, { full_name: null }, at(9));
    expect(named.announcements.map(({ type }) => type)).toEqual(["user.registered", "user.profile.updated"]);
    expect(learn(named.known, created)).toEqual({ known: named.known, announcements: [] });
  });

  it.each([
    ["unknown", {}],
    ["soft-deleted", learnAll([created, deleted]).known],
    ["erased", learnAll([created, erased]).known],
  ])("a user that is %s is not found", (_name, missing: Known) => {
    expect(() => changeProfile(missing, { full_name: "Ann" }, at(9))).toThrow(
      expect.toSatisfy((error) => isAppError(error, "UserNotFound")),
    );
  });

  it("several changes are announced as one, in their order", () => {
    const { known: after, announcements } = inTurn(
      known,
      (before) => learn(before, deleted),
      (before) => learn(before, restored),
      (before) => changeProfile(before, { full_name: null }, at(9)),
    );
    expect(after.user).toMatchObject({ profile: { full_name: null }, version: 4 });
    expect(announcements.map(({ type }) => type)).toEqual(["user.deleted", "user.restored", "user.profile.updated"]);
  });
});
