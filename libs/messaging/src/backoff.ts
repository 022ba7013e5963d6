/** The pauses of a consumer while its infrastructure is away: longer each time, until something works again. */
export interface Breather {
  /** @returns milliseconds until the pause is over */
  failed(now: number): number;
  worked(): void;
  /** Milliseconds to wait before the next handler; 0 when none. */
  remaining(now: number): number;
}

const FIRST_MS = 250;
const MAX_MS = 5_000;

export function createBreather(): Breather {
  let streak = 0;
  let until = 0;
  return {
    failed(now) {
      // Handlers that fail side by side are one outage, not several.
      if (now >= until) {
        until = now + Math.min(MAX_MS, FIRST_MS * 2 ** streak);
        streak += 1;
      }
      return until - now;
    },
    worked() {
      streak = 0;
      until = 0;
    },
    remaining: (now) => Math.max(0, until - now),
  };
}
