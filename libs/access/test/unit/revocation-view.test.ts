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

describe("a revocation", () => {
  test("an empty view revokes nothing", () => {
    expect(createView().view.isRevoked(someToken())).toBe(false);
  });

  test("a raised version revokes the user's older tokens only", () => {
    const { view } = createView();
    const token = someToken();
    view.raiseVersion(token.sub, 4);
    expect(view.isRevoked(token)).toBe(true);
    expect(view.isRevoked({ ...token, tokenVersion: 4 })).toBe(false);
    expect(view.isRevoked(someToken())).toBe(false);
  });

  test("the higher of two versions wins in any order", () => {
    const { view } = createView();
    const token = someToken({ tokenVersion: 6 });
    for (const version of [5, 7, 2, 7]) view.raiseVersion(token.sub, version);
    expect(view.isRevoked(token)).toBe(true);
    expect(view.isRevoked({ ...token, tokenVersion: 7 })).toBe(false);
    expect(view.size()).toBe(1);
  });

  test("an ended session revokes its tokens only", () => {
    const { view } = createView();
    const token = someToken();
    view.endSession(token.sid);
    expect(view.isRevoked(token)).toBe(true);
    expect(view.isRevoked({ ...token, sid: newId() })).toBe(false);
  });

  test("a revoked token is revoked alone", () => {
    const { view } = createView();
    const token = someToken();
    view.revokeToken(token.jti);
    expect(view.isRevoked(token)).toBe(true);
    expect(view.isRevoked({ ...token, jti: newId() })).toBe(false);
  });

  test("a retired key revokes everything it signed, permanently", () => {
    const { clock, view } = createView();
    view.retireKey("key");
    expect(view.isRevoked(someToken())).toBe(true);
    expect(view.isRevoked(someToken({ kid: "another" }))).toBe(false);
    clock.time += 100 * LIFETIME;
    expect(view.isRevoked(someToken())).toBe(true);
    expect(view.size()).toBe(1);
  });
});

describe("aging", () => {
  test("an entry stays for one lifetime and is deleted after two", () => {
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

  test("a long idle view has no entries", () => {
    const { clock, view } = createView();
    view.endSession(newId());
    view.raiseVersion(newId(), 1);
    clock.time += 2 * LIFETIME;
    expect(view.size()).toBe(0);
  });

  test("a version raised again stays from then on", () => {
    const { clock, view } = createView();
    const token = someToken();
    view.raiseVersion(token.sub, 9);
    clock.time += LIFETIME;
    view.raiseVersion(token.sub, 5);
    clock.time += LIFETIME;
    expect(view.isRevoked({ ...token, tokenVersion: 8 })).toBe(true);
  });
});

test("any order of events gives the same result as a list of all revocations of one lifetime", () => {
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
          // A lower version renews a higher one, so only never revoked tokens are certain.
          if (!ends(Infinity)) expect(judged).toBe(false);
        }
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
}, 20_000);
