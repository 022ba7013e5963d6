/** The result of one request. */
interface Outcome {
  /** Method and path, such as `POST /v1/auth/login`. */
  readonly route: string;
  /** 0 without an answer. */
  readonly status: number;
  readonly expected: number;
  /** The `type` of a problem, or why there was no answer. */
  readonly reason?: string | undefined;
}

type Counts = Readonly<Record<string, number>>;

export type Tally = ReturnType<typeof createTally>;

const FAILURES_KEPT = 50;

/** Counts every answer; any other status than the expected one is a failure. */
export function createTally(now: () => number = () => performance.now()) {
  const routes: Record<string, Record<string, number>> = {};
  const statuses: Record<string, number> = {};
  const failures: string[] = [];
  const begun = now();
  let answered = 0;
  let failed = 0;
  return {
    /** One line for each of the first failures, with the second of the run. */
    failures: failures as readonly string[],
    count({ route, status, expected, reason = "" }: Outcome): void {
      const name = status === 0 ? "none" : String(status);
      for (const counts of [(routes[route] ??= {}), statuses]) counts[name] = (counts[name] ?? 0) + 1;
      answered += 1;
      if (status === expected) return;
      failed += 1;
      const second = ((now() - begun) / 1_000).toFixed(1);
      if (failures.length < FAILURES_KEPT) failures.push(`${second} s  ${route}: ${name} ${reason}`.trimEnd());
    },
    total: () => ({ answered, failed }),
    /** Counts by route, then by status. */
    byRoute: (): Readonly<Record<string, Counts>> =>
      Object.fromEntries(Object.entries(routes).toSorted(([a], [b]) => a.localeCompare(b))),
    byStatus: (): Counts => ({ ...statuses }),
  };
}
