/** Puts the messages of several streams into one order, that of their times. */
export interface TimeMerge<T> {
  push(lane: string, at: Date, item: T): void;
  /** The lane has no more from the past: from now on nothing waits for it. */
  caughtUp(lane: string): void;
}

interface Waiting<T> {
  readonly at: Date;
  readonly item: T;
}

/**
 * An item waits until no lane can bring an earlier one. With more than `limit` waiting the earliest goes without, so that one long lane
 * does not fill the memory while another is slow.
 */
export function createTimeMerge<T>(lanes: readonly string[], emit: (item: T) => void, limit = 10_000): TimeMerge<T> {
  const behind = new Set(lanes);
  const waiting = new Map<string, Waiting<T>[]>(lanes.map((lane) => [lane, []]));
  let count = 0;

  function release(): void {
    while (count > 0 && (count > limit || [...behind].every((lane) => waiting.get(lane)?.length))) {
      const [queue] = [...waiting.values()]
        .filter((one) => one.length > 0)
        .toSorted((a, b) => (a[0]?.at.getTime() ?? 0) - (b[0]?.at.getTime() ?? 0));
      const first = queue?.shift();
      if (first === undefined) return;
      count -= 1;
      emit(first.item);
    }
  }

  return {
    push(lane, at, item) {
      waiting.get(lane)?.push({ at, item });
      count += 1;
      release();
    },
    caughtUp(lane) {
      behind.delete(lane);
      release();
    },
  };
}
