/** The order in which the replicas of one service are tried. */
export interface Rotation {
  /** Returns every index once: round robin, resting replicas last, and of those the one that rested longest first. */
  order(): readonly number[];
  /** Puts a replica behind the others for the given time. */
  rest(index: number, restMs: number): void;
}

/** Longer than a service drains: a replica that stops must not get requests it would drop. */
export const LEAVING_REST_MS = 5_000;

/** Returns whether a response is from a replica that is stopping: it sends `connection: close` with every response. */
export function isLeaving(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return headers["connection"] === "close";
}

/**
 * Creates a round robin in which a replica that is down or stopping can rest, so that not every request waits for it.
 * Resting replicas are still tried when no other is left.
 * @param now a monotonic clock in milliseconds
 */
export function createRotation(count: number, now: () => number): Rotation {
  const restsUntil = Array.from({ length: count }, () => Number.NEGATIVE_INFINITY);
  const single = [0];
  let next = 0;

  return {
    order() {
      if (count === 1) return single;
      const time = now();
      const first = next++ % count;
      const active: number[] = [];
      const resting: number[] = [];
      for (let step = 0; step < count; step++) {
        const index = (first + step) % count;
        ((restsUntil[index] as number) > time ? resting : active).push(index);
      }
      // In a rolling restart the replica that rested longest is the likeliest to be up again.
      return [...active, ...resting.toSorted((a, b) => (restsUntil[a] as number) - (restsUntil[b] as number))];
    },
    rest(index, restMs) {
      restsUntil[index] = now() + restMs;
    },
  };
}
