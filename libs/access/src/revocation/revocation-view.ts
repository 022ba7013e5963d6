import type { AccessClaims } from "../verification/claims.ts";
import { createIdFilter, type IdFilter } from "./id-filter.ts";

/** What the view goes by. */
export type RevocableClaims = Pick<AccessClaims, "sub" | "sid" | "jti" | "kid" | "tokenVersion">;

export interface RevocationView {
  /** Tokens of the user with a lower version are refused. The higher of two versions wins, so order and repetition do no harm. */
  raiseVersion(userId: string, leastValid: number): void;
  endSession(sessionId: string): void;
  /** One token by its `jti`, where neither its session nor its version says why. */
  refuseToken(tokenId: string): void;
  retireKey(kid: string): void;
  isRevoked(claims: RevocableClaims): boolean;
  /** Entries held, of all kinds. */
  size(): number;
}

interface Generation {
  /** All ids below: what is not here need not be looked up. */
  readonly filter: IdFilter;
  readonly versions: Map<string, number>;
  /** Sessions and single tokens: both are UUIDs. */
  readonly ended: Set<string>;
}

const newGeneration = (): Generation => ({ filter: createIdFilter(), versions: new Map(), ended: new Set() });

/**
 * What has been revoked within one lifetime of an access token: older tokens have expired by themselves, so the view
 * is bounded by recent revocations and not by users. Entries live in two generations; the older one is dropped whole when
 * it is certainly over, which costs no timer and no time stamp an entry. Retired keys stay: they are few, and one that leaked
 * could sign for ever.
 * @param options.lifetimeSeconds how long an entry is kept at least: an access token's lifetime and the clock skew
 * @param options.now milliseconds, of a clock that never goes back
 */
export function createRevocationView(options: { lifetimeSeconds: number; now: () => number }): RevocationView {
  const lifetime = options.lifetimeSeconds * 1_000;
  const retiredKeys = new Set<string>();
  let young = newGeneration();
  let old = newGeneration();
  let youngSince = options.now();

  function age(): void {
    const time = options.now();
    const elapsed = time - youngSince;
    if (elapsed < lifetime) return;
    old = elapsed < 2 * lifetime ? young : newGeneration();
    young = newGeneration();
    youngSince = time;
  }

  function end(id: string): void {
    age();
    young.filter.add(id);
    young.ended.add(id);
  }

  function leastVersion(userId: string): number {
    return Math.max(versionIn(young, userId), versionIn(old, userId));
  }

  const hasEnded = (id: string): boolean => hasEndedIn(young, id) || hasEndedIn(old, id);

  return {
    raiseVersion(userId, leastValid) {
      age();
      young.filter.add(userId);
      young.versions.set(userId, Math.max(leastVersion(userId), leastValid));
    },
    endSession: end,
    refuseToken: end,
    retireKey: (kid) => void retiredKeys.add(kid),
    isRevoked({ sub, sid, jti, kid, tokenVersion }) {
      age();
      return hasEnded(sid) || tokenVersion < leastVersion(sub) || hasEnded(jti) || retiredKeys.has(kid);
    },
    size() {
      age();
      const entries = [young, old].map(({ versions, ended }) => versions.size + ended.size);
      return retiredKeys.size + entries.reduce((sum, count) => sum + count);
    },
  };
}

const versionIn = ({ filter, versions }: Generation, userId: string): number =>
  filter.mayHave(userId) ? (versions.get(userId) ?? 0) : 0;

const hasEndedIn = ({ filter, ended }: Generation, id: string): boolean => filter.mayHave(id) && ended.has(id);
