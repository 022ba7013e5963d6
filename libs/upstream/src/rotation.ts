/** Whose turn it is among the replicas of one service. */
export interface Rotation {
  /** Every index once: round robin, the resting ones last, and of those first whose rest is over first. */
  order(): readonly number[];
  /** Lets the others go first for so long. */
  rest(index: number, milliseconds: number): void;
}

// A service that is being stopped says so by `connection: close` on every answer. Whoever still sent it requests when
// it stops listening would lose some; resting for longer than the service drains, it gets none.
export const LEAVING_REST_MS = 5_000;

/** Returns whether an answer comes from a replica that is stopping. */
export function isLeaving(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return headers["connection"] === "close";
}

/**
 * Round robin in which a replica can rest: one that could not be reached, so that not every request waits for a
 * connection that does not come about, or one that is about to leave. With nothing else left, a resting one is tried.
 * @param now a monotonic clock in milliseconds
 */
export function createRotation(count: number, now: () => number): Rotation {
  const restsUntil = Array.from({ length: count }, () => Number.NEGATIVE_INFINITY);
  const single = [0];
  let turn = 0;

  return {
    order() {
      if (count === 1) return single;
      const time = now();
      const first = turn++ % count;
      const awake: number[] = [];
      const resting: number[] = [];
      for (let step = 0; step < count; step++) {
        const index = (first + step) % count;
        ((restsUntil[index] as number) > time ? resting : awake).push(index);
      }
      // Who has rested longest is the likeliest to be back: in a rolling restart the one that leaves now is not.
      return [...awake, ...resting.toSorted((a, b) => (restsUntil[a] as number) - (restsUntil[b] as number))];
    },
    rest(index, milliseconds) {
      restsUntil[index] = now() + milliseconds;
    },
  };
}
