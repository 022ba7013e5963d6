import { AppError } from "@gatehouse/errors";

interface HashQueueConfig {
  readonly concurrency: number;
  readonly maxWaitMs: number;
}

export type HashQueue = ReturnType<typeof createHashQueue>;

/**
 * Back-pressure on hashing: at most `concurrency` tasks run, the others wait in line for at most `maxWaitMs`
 * and then fail with ServiceUnavailable. A login storm thus costs its own users a 503 with Retry-After,
 * and nobody else a stalled refresh.
 */
export function createHashQueue({ concurrency, maxWaitMs }: HashQueueConfig) {
  const waiting = new Set<() => void>();
  let running = 0;

  function turn(): Promise<void> | undefined {
    if (running < concurrency) {
      running += 1;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(start);
        reject(overloaded(maxWaitMs));
      }, maxWaitMs);
      waiting.add(start);
    });
  }

  /** Hands the place of a finished task to the one that waited longest (a Set keeps insertion order). */
  function passOn(): void {
    const next = waiting.values().next();
    if (next.done) {
      running -= 1;
      return;
    }
    waiting.delete(next.value);
    next.value();
  }

  return {
    /** @throws AppError ServiceUnavailable when the turn does not come in time */
    async run<T>(task: () => Promise<T>): Promise<T> {
      await turn();
      try {
        return await task();
      } finally {
        passOn();
      }
    },
    /** How many run and how many wait. */
    depth: () => ({ running, waiting: waiting.size }),
  };
}

function overloaded(maxWaitMs: number): AppError {
  return new AppError("ServiceUnavailable", {
    detail: "Too many logins at once; try again in a moment",
    retryAfter: Math.max(1, Math.ceil(maxWaitMs / 1000)),
  });
}
