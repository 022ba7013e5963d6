import { describe, expect, it } from "vitest";
import { supersededKeys } from "../../src/services/keys/key-retirement.ts";

const now = new Date("2026-01-01T12:00:00Z");
const accessTokenSeconds = 900;
const key = (kid: string, minutesAgo: number) => ({ kid, signsFrom: new Date(now.getTime() - minutesAgo * 60_000) });

describe("supersededKeys", () => {
  it.each([
    { when: "there is one key", keys: [key("a", 10_000)], retired: [] },
    { when: "the next key does not sign yet", keys: [key("b", -10), key("a", 10_000)], retired: [] },
    { when: "tokens of the former key may not have expired", keys: [key("b", 15), key("a", 10_000)], retired: [] },
    { when: "the last token of the former key has expired", keys: [key("b", 18), key("a", 10_000)], retired: ["a"] },
    {
      when: "several former keys exist",
      keys: [key("d", -10), key("c", 30), key("b", 60), key("a", 90)],
      retired: ["b", "a"],
    },
  ])("returns $retired when $when", ({ keys, retired }) => {
    expect(supersededKeys(keys, now, accessTokenSeconds)).toEqual(retired);
  });
});
