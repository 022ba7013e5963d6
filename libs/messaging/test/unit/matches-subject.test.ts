import { matchesSubject } from "@gatehouse/messaging";
import { describe, expect, test } from "vitest";

describe("matchesSubject", () => {
  test.each([
    ["auth.account.created", "auth.account.created", true],
    ["auth.account.created", "auth.account.deleted", false],
    ["auth.account", "auth.account.created", false],
    ["auth.account.created", "auth.account", false],
    ["auth.*.created", "auth.account.created", true],
    ["auth.*", "auth.account.created", false],
    ["*.*.*", "auth.account.created", true],
    ["auth.>", "auth.account.created", true],
    ["auth.>", "auth", false],
    [">", "auth", true],
    ["auth.*", "auth", false],
  ])("%s, %s: %s", (pattern, subject, expected) => {
    expect(matchesSubject(pattern, subject)).toBe(expected);
  });
});
