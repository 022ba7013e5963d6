/** What became of one request. A status of 0: no answer came. */
interface Outcome {
  /** Method and pattern, such as `POST /v1/auth/login`. */
  readonly route: string;
  readonly status: number;
  readonly expected: number;
  /** The `type` of a problem, or why no answer came. */
  readonly reason?: string | undefined;
}

/** How many requests so far were answered, and how many of them not as they should be. */
interface Count {
  readonly answered: number;
  readonly failed: number;
}

export interface Tally {
  count(outcome: Outcome): void;
  total(): Count;
  /** By route, then by status. */
  byRoute(): Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** One line for each of the first failures, with the second of the run. */
  readonly failures: readonly string[];
}

const FAILURES_KEPT = 50;

/** Counts every answer; whatever is not the one status that a request is to have is a failure, and nothing excuses one. */
export function createTally(now: () => number = () => performance.now()): Tally {
  const routes = new Map<string, Record<string, number>>();
  const failures: string[] = [];
  const begun = now();
  let answered = 0;
  let failed = 0;
  return {
    failures,
    count({ route, status, expected, reason = "" }) {
      const statuses = routes.get(route) ?? {};
      routes.set(route, statuses);
      const name = status === 0 ? "none" : String(status);
      statuses[name] = (statuses[name] ?? 0) + 1;
      answered += 1;
      if (status === expected) return;
      failed += 1;
      const second = ((now() - begun) / 1_000).toFixed(1);
      if (failures.length < FAILURES_KEPT) failures.push(`${second} s  ${route}: ${name} ${reason}`.trimEnd());
    },
    total: () => ({ answered, failed }),
    byRoute: () => Object.fromEntries([...routes].toSorted(([a], [b]) => a.localeCompare(b))),
  };
}
