/** A time in which a service was down, by `performance.now()`; `until` is Infinity while it still is. */
export interface Outage {
  readonly from: number;
  readonly until: number;
}

export function recordOutages(now: () => number = () => performance.now()) {
  const outages: Outage[] = [];
  return {
    began: () => void outages.push({ from: now(), until: Number.POSITIVE_INFINITY }),
    ended() {
      const last = outages.pop();
      if (last !== undefined) outages.push({ from: last.from, until: now() });
    },
    all: (): readonly Outage[] => outages,
  };
}

/**
 * Returns when a token revoked at `revokedAt` must be rejected everywhere: `withinMs` later. There is one exception
 * (docs/reference/design.md): auth may commit a revocation and crash before it publishes. So an outage of auth does not count, and
 * the term starts again at its end. Infinity while auth is down.
 */
export function refusalDue(revokedAt: number, withinMs: number, authOutages: readonly Outage[]): number {
  let due = revokedAt + withinMs;
  for (const { from, until } of authOutages)
    if (from <= due && until >= revokedAt) due = Math.max(due, until + withinMs);
  return due;
}
