import { newId } from "@gatehouse/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRevocationView, type RevocableClaims } from "../../src/revocation/revocation-view.ts";

const LIFETIME_SECONDS = 960;
const LIFETIME = LIFETIME_SECONDS * 1_000;

function createView() {
  const clock = { time: 5_000 };
  return { clock, view: createRevocationView({ lifetimeSeconds: LIFETIME_SECONDS, now: () => clock.time }) };
}

function someToken(overrides: Partial<RevocableClaims> = {}): RevocableClaims {
  return { sub: newId(), sid: newId(), jti: newId(), kid: "key", tokenVersion: 3, ...overrides };
}

describe("what happens to tokens when something is revoked", () => {
  test("nothing is revoked to begin with", () => {
    expect(createView().view.isRevoked(someToken())).toBe(false);
  });

  test("a raised version ends the user's older tokens, not the newer ones, nor anybody else's", () => {
    const { view } = createView();
    const token = someToken();
    view.raiseVersion(token.sub, 4);
    expect(view.isRevoked(token)).toBe(true);
    expect(view.isRevoked({ ...token, tokenVersion: 4 })).toBe(false);
    expect(view.isRevoked(someToken())).toBe(false);
  });

  test("the higher of two versions wins, in whatever order they come", () => {
    const { view } = createView();
    const token = someToken({ tokenVersion: 6 });
    for (const version of [5, 7, 2, 7]) view.raiseVersion(token.sub, version);
    expect(view.isRevoked(token)).toBe(true);
    expect(view.isRevoked({ ...token, tokenVersion: 7 })).toBe(false);
    expect(view.size()).toBe(1);
  });

  test("an ended session ends its tokens only", () => {
    const { view } = createView();
    const token = someToken();
    view.endSession(token.sid);
    expect(view.isRevoked(token)).toBe(true);
    expect(view.isRevoked({ ...token, sid: newId() })).toBe(false);
  });

  test("a refused token is refused alone", () => {
    const { view } = createView();
    const token = someToken();
    view.refuseToken(token.jti);
    expect(view.isRevoked(token)).toBe(true);
    expect(view.isRevoked({ ...token, jti: newId() })).toBe(false);
  });

  test("a retired key ends all that it signed, for good: a leaked key could sign for ever", () => {
    const { clock, view } = createView();
    view.retireKey("key");
    expect(view.isRevoked(someToken())).toBe(true);
    expect(view.isRevoked(someToken({ kid: "another" }))).toBe(false);
    clock.time += 100 * LIFETIME;
    expect(view.isRevoked(someToken())).toBe(true);
    expect(view.size()).toBe(1);
  });
});

describe("what happens as time goes by", () => {
  test("an entry is there for one lifetime at least, and gone after two", () => {
    for (const age of [0, 1, LIFETIME / 2, LIFETIME - 1]) {
      const { clock, view } = createView();
      clock.time += age;
      const token = someToken();
      view.endSession(token.sid);
      clock.time += LIFETIME;
      expect(view.isRevoked(token)).toBe(true);
      clock.time += LIFETIME;
      view.isRevoked(someToken());
      clock.time += LIFETIME;
      expect(view.size()).toBe(0);
      expect(view.isRevoked(token)).toBe(false);
    }
  });

  test("a view that nobody used for long keeps nothing", () => {
    const { clock, view } = createView();
    view.endSession(newId());
    view.raiseVersion(newId(), 1);
    clock.time += 2 * LIFETIME;
    expect(view.size()).toBe(0);
  });

  test("a version that is raised again lives on from there", () => {
    const { clock, view } = createView();
    const token = someToken();
    view.raiseVersion(token.sub, 9);
    clock.time += LIFETIME;
    view.raiseVersion(token.sub, 5);
    clock.time += LIFETIME;
    expect(view.isRevoked({ ...token, tokenVersion: 8 })).toBe(true);
  });
});

test("what happens with any order of events: every token is judged as a list of all revocations of one lifetime would", () => {
  const users = ["u1", "u2", "u3"];
  const sessions = ["s1", "s2", "s3"];
  const step = fc.oneof(
    fc.record({ kind: fc.constant("raise" as const), id: fc.constantFrom(...users), version: fc.nat(5) }),
    fc.record({ kind: fc.constant("end" as const), id: fc.constantFrom(...sessions) }),
    fc.record({ kind: fc.constant("wait" as const), by: fc.nat(LIFETIME) }),
  );
  const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const { clock, view } = createView();
    const raised: { id: string; version: number; at: number }[] = [];
    const ended: { id: string; at: number }[] = [];
    for (const one of steps) {
      if (one.kind === "wait") clock.time += one.by;
      else if (one.kind === "end") {
        view.endSession(one.id);
        ended.push({ id: one.id, at: clock.time });
      } else {
        view.raiseVersion(one.id, one.version);
        raised.push({ id: one.id, version: one.version, at: clock.time });
      }
      for (const [index, sub] of users.entries()) {
        const sid = sessions[index] as string;
        for (const tokenVersion of [0, 2, 4]) {
          const within = (age: number, { at }: { at: number }) => clock.time - at < age;
          const ends = (age: number) =>
            ended.some((entry) => entry.id === sid && within(age, entry)) ||
            raised.some((entry) => entry.id === sub && entry.version > tokenVersion && within(age, entry));
          const judged = view.isRevoked(someToken({ sub, sid, tokenVersion }));
          if (ends(LIFETIME)) expect(judged).toBe(true);
          // A version is carried on when a lower one arrives after it, so only what was never revoked is certain.
          if (!ends(Infinity)) expect(judged).toBe(false);
        }
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
}, 20_000);
