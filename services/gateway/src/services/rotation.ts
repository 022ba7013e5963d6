/** Whose turn it is among the replicas of one service. */
export interface Rotation {
  /** Every index once: round robin, the resting ones last. */
  order(): readonly number[];
  /** Lets the others go first for so long. */
  rest(index: number, milliseconds: number): void;
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
      return [...awake, ...resting];
    },
    rest(index, milliseconds) {
      restsUntil[index] = now() + milliseconds;
    },
  };
}
