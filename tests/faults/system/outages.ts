/** When something was away, by `performance.now()`; `until` is Infinity while it still is. */
export interface Outage {
  readonly from: number;
  readonly until: number;
}

export interface OutageRecord {
  began(): void;
  ended(): void;
  all(): readonly Outage[];
}

export function recordOutages(now: () => number = () => performance.now()): OutageRecord {
  const outages: Outage[] = [];
  return {
    began: () => void outages.push({ from: now(), until: Number.POSITIVE_INFINITY }),
    ended() {
      const last = outages.pop();
      if (last !== undefined) outages.push({ from: last.from, until: now() });
    },
    all: () => outages,
  };
}

/**
 * From when on a token revoked at `revokedAt` must be refused everywhere: `withinMs` later. The design names one exception: what auth
 * committed and could not publish before it died takes effect when it is back. So time during which auth was away does not count,
 * and the term begins anew at its return. Infinity while it is away.
 */
export function refusalDue(revokedAt: number, withinMs: number, authOutages: readonly Outage[]): number {
  let due = revokedAt + withinMs;
  for (const { from, until } of authOutages)
    if (from <= due && until >= revokedAt) due = Math.max(due, until + withinMs);
  return due;
}
