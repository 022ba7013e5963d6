import type { AccessClaims } from "../verification/claims.ts";
import { createIdFilter, type IdFilter } from "./id-filter.ts";

/** The claims that decide whether a token is revoked. */
export type RevocableClaims = Pick<AccessClaims, "sub" | "sid" | "jti" | "kid" | "tokenVersion">;

export interface RevocationView {
  /** Revokes the user's tokens with a lower version. The higher of two versions wins, so order and repetition do not matter. */
  raiseVersion(userId: string, leastValid: number): void;
  endSession(sessionId: string): void;
  /** Revokes one token by its `jti`, for a reason other than its session or version. */
  revokeToken(tokenId: string): void;
  retireKey(kid: string): void;
  isRevoked(claims: RevocableClaims): boolean;
  /** Returns the number of entries of all kinds. */
  size(): number;
}

interface Generation {
  /** All ids of this generation, to skip most lookups. */
  readonly filter: IdFilter;
  readonly versions: Map<string, number>;
  /** Ids of sessions and of single tokens. */
  readonly ended: Set<string>;
}

const newGeneration = (): Generation => ({ filter: createIdFilter(), versions: new Map(), ended: new Set() });

/**
 * Creates a view of what was revoked within one lifetime of an access token. Older tokens have expired, so recent
 * revocations bound its size, not users. Entries live in two generations, and the older one is dropped as a whole, which
 * needs no timer and no timestamp per entry. Retired keys stay: they are few, and a leaked one could sign forever.
 * @param options.lifetimeSeconds how long an entry is kept at least: an access token's lifetime plus the clock skew
 * @param options.now a monotonic clock in milliseconds
 */
export function createRevocationView(options: { lifetimeSeconds: number; now: () => number }): RevocationView {
  const lifetimeMs = options.lifetimeSeconds * 1_000;
  const retiredKeys = new Set<string>();
  let young = newGeneration();
  let old = newGeneration();
  let youngSince = options.now();

  function age(): void {
    const time = options.now();
    const elapsed = time - youngSince;
    if (elapsed < lifetimeMs) return;
    old = elapsed < 2 * lifetimeMs ? young : newGeneration();
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
    revokeToken: end,
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
