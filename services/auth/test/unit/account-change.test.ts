import { profileOf } from "@gatehouse/contracts";
import { describe, expect, it } from "vitest";
import type { Account } from "../../src/repositories/accounts/account.repository.ts";
import { planAccountChange } from "../../src/services/accounts/account-change.ts";

const account: Account = {
  id: "0192f0c0-0000-7000-8000-000000000001",
  email: "ada@example.com",
  passwordHash: "verified",
  profile: profileOf({ full_name: "Ada" }),
  role: "user",
  isActive: true,
  isVerified: true,
  tokenVersion: 3,
  version: 7,
  createdAt: new Date(0),
  updatedAt: new Date(0),
  deletedAt: null,
};
const admin: Account = { ...account, role: "admin" };
const inactive: Account = { ...account, isActive: false };

type Command = Parameters<typeof planAccountChange>[1];

const rules: {
  when: string;
  of?: Account;
  command: Command;
  hash?: string;
  changed: string[];
  ends: string | undefined;
  revokes?: string | undefined;
  takesAdmin?: boolean;
}[] = [
  { when: "another email", command: { email: "b@example.com" }, changed: ["email", "is_verified"], ends: undefined },
  {
    when: "another email that is verified in the same command",
    command: { email: "b@example.com", is_verified: true },
    changed: ["email"],
    ends: undefined,
  },
  { when: "is_verified alone", command: { is_verified: false }, changed: ["is_verified"], ends: undefined },
  {
    when: "another role",
    command: { role: "admin" },
    changed: ["role"],
    ends: "role_changed",
    revokes: "role_changed",
  },
  {
    when: "deactivation",
    command: { is_active: false },
    changed: ["is_active"],
    ends: "deactivated",
    revokes: "deactivated",
  },
  { when: "activation", of: inactive, command: { is_active: true }, changed: ["is_active"], ends: undefined },
  { when: "a password", command: {}, hash: "new", changed: [], ends: "password_changed" },
  {
    when: "a password with a deactivation",
    command: { is_active: false },
    hash: "new",
    changed: ["is_active"],
    ends: "deactivated",
    revokes: "deactivated",
  },
  {
    when: "the demotion of an admin",
    of: admin,
    command: { role: "user" },
    changed: ["role"],
    ends: "role_changed",
    revokes: "role_changed",
    takesAdmin: true,
  },
  {
    when: "the deactivation of an admin",
    of: admin,
    command: { is_active: false },
    changed: ["is_active"],
    ends: "deactivated",
    revokes: "deactivated",
    takesAdmin: true,
  },
  {
    when: "one changed value among unchanged ones",
    command: { email: "ada@example.com", role: "user", is_active: true, is_verified: false },
    changed: ["is_verified"],
    ends: undefined,
  },
];

describe("planAccountChange", () => {
  it.each(rules)(
    "plans the changed fields, ended sessions and event reason for $when",
    ({ of = account, command, hash, changed, ends, revokes, takesAdmin }) => {
      const change = planAccountChange(of, command, hash);
      expect(change).toMatchObject({
        changed,
        endsSessions: ends,
        revocationReason: revokes,
        setsPassword: hash !== undefined,
        removesAdmin: takesAdmin ?? false,
      });
      expect(change?.values.version).toBe(8);
      expect(change?.values.tokenVersion).toBe(ends === undefined ? undefined : 4);
    },
  );

  it.each([
    ["is empty", {}],
    ["repeats the stored values", { email: "ada@example.com", role: "user", is_active: true, is_verified: true }],
  ] as [string, Command][])("returns undefined when the command %s", (_when, command) => {
    expect(planAccountChange(account, command, undefined)).toBeUndefined();
  });

  it("keeps a stored role that this build does not know", () => {
    const change = planAccountChange({ ...account, role: "unknown" }, { is_verified: false }, undefined);
    expect(change?.values).not.toHaveProperty("role");
  });
});
