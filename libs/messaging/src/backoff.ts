import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits `ms` milliseconds, or until `signal` aborts; never throws.
 * @param options.keepAlive false: the wait does not keep the process alive
 */
export async function pause(ms: number, signal: AbortSignal, { keepAlive = false } = {}): Promise<void> {
  await sleep(ms, undefined, { signal, ref: keepAlive }).catch(() => undefined);
}

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Returns the milliseconds to wait after `failures` earlier failures: `firstMs`, doubled each time, at most `maxMs`. */
export function backoffMs({ firstMs, maxMs }: BackoffLimits, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** failures);
}

/** The pauses of work whose infrastructure is down: longer after each failure, until something succeeds. */
export interface Backoff {
  /** Returns the milliseconds until the pause ends. */
  failed(now: number): number;
  succeeded(): void;
  /** Returns the milliseconds to wait before the next attempt; 0 when none. */
  remaining(now: number): number;
}

export function createBackoff(limits: BackoffLimits): Backoff {
  let failures = 0;
  let until = 0;
  return {
    failed(now) {
      // Handlers that fail concurrently are one outage, not several.
      if (now >= until) {
        until = now + backoffMs(limits, failures);
        failures += 1;
      }
      return until - now;
    },
    succeeded() {
      failures = 0;
      until = 0;
    },
    remaining: (now) => Math.max(0, until - now),
  };
}
