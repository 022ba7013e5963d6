const REST_MS = 1_000;

/** Whose turn it is among the replicas of one service. */
export interface Rotation {
  /** Every index once: round robin, those that could not be reached lately last. */
  order(): readonly number[];
  /** The replica could not be reached. */
  unreached(index: number): void;
}

/**
 * Round robin that lets a replica rest for a second after it could not be reached, so that not every request
 * waits for a connection that does not come about. With nothing else left, a resting one is tried all the same.
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
    unreached(index) {
      restsUntil[index] = now() + REST_MS;
    },
  };
}
