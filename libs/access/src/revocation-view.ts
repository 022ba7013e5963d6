/** What the view says of a token. */
export interface RevocableClaims {
  readonly sub: string;
  readonly sid: string;
  readonly kid: string;
  readonly tokenVersion: number;
}

export interface RevocationView {
  /** Tokens of the user with a lower version are refused. The higher of two versions wins, so order and repetition do no harm. */
  raiseVersion(userId: string, leastValid: number): void;
  endSession(sessionId: string): void;
  retireKey(kid: string): void;
  isRevoked(claims: RevocableClaims): boolean;
  /** Entries held, of all kinds. */
  size(): number;
}

interface Generation {
  readonly versions: Map<string, number>;
  readonly sessions: Set<string>;
  readonly keys: Set<string>;
}

const newGeneration = (): Generation => ({ versions: new Map(), sessions: new Set(), keys: new Set() });

/**
 * What has been revoked within one lifetime of an access token: older tokens have expired by themselves, so the view
 * is bounded by recent revocations and not by users. Entries live in two generations; the older one is dropped whole when
 * it is certainly over, which costs no timer and no time stamp an entry.
 * @param options.lifetimeSeconds how long an entry is kept at least: an access token's lifetime and the clock skew
 * @param options.now milliseconds, of a clock that never goes back
 */
export function createRevocationView(options: { lifetimeSeconds: number; now: () => number }): RevocationView {
  const lifetime = options.lifetimeSeconds * 1_000;
  let young = newGeneration();
  let old = newGeneration();
  let youngSince = options.now();

  function age(): void {
    const elapsed = options.now() - youngSince;
    if (elapsed < lifetime) return;
    old = elapsed < 2 * lifetime ? young : newGeneration();
    young = newGeneration();
    youngSince = options.now();
  }

  return {
    raiseVersion(userId, leastValid) {
      age();
      const known = Math.max(young.versions.get(userId) ?? 0, old.versions.get(userId) ?? 0);
      young.versions.set(userId, Math.max(known, leastValid));
    },
    endSession(sessionId) {
      age();
      young.sessions.add(sessionId);
    },
    retireKey(kid) {
      age();
      young.keys.add(kid);
    },
    isRevoked({ sub, sid, kid, tokenVersion }) {
      age();
      return [young, old].some(
        ({ versions, sessions, keys }) =>
          sessions.has(sid) || tokenVersion < (versions.get(sub) ?? 0) || (keys.size > 0 && keys.has(kid)),
      );
    },
    size: () =>
      [young, old].reduce((sum, { versions, sessions, keys }) => sum + versions.size + sessions.size + keys.size, 0),
  };
}
