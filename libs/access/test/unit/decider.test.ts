import { expect, test } from "vitest";
import { type AuthState, type Decider, deciderFor } from "../../src/verification/decider.ts";

const CURRENT = true;
const STALE = false;
const READ = true;
const UNREAD = false;

/** The whole table: the view, the outcome of asking auth, whether the bus is read to its end. */
const TABLE: readonly (readonly [boolean, AuthState | undefined, boolean, Decider])[] = [
  [CURRENT, undefined, READ, "view"],
  [CURRENT, undefined, UNREAD, "view"],
  [CURRENT, "answers", READ, "view"],
  [CURRENT, "answers", UNREAD, "view"],
  [CURRENT, "unreachable", READ, "view"],
  [CURRENT, "unreachable", UNREAD, "view"],
  [CURRENT, "faulty", READ, "view"],
  [CURRENT, "faulty", UNREAD, "view"],
  [STALE, undefined, READ, "auth"],
  [STALE, undefined, UNREAD, "auth"],
  [STALE, "answers", READ, "auth"],
  [STALE, "answers", UNREAD, "auth"],
  [STALE, "unreachable", READ, "view"],
  [STALE, "unreachable", UNREAD, "nobody"],
  [STALE, "faulty", READ, "nobody"],
  [STALE, "faulty", UNREAD, "nobody"],
];

for (const [viewIsCurrent, auth, viewHasCaughtUp, decider] of TABLE) {
  const view = viewIsCurrent ? "a current view" : "a stale view";
  const bus = viewHasCaughtUp ? "a bus read to its end" : "no bus";
  test(`with ${view}, auth ${auth ?? "not asked"} and ${bus}, ${decider} decides`, () => {
    expect(deciderFor({ viewIsCurrent, auth, viewHasCaughtUp })).toBe(decider);
  });
}
