import { AppError } from "@gatehouse/errors";

interface HashQueueConfig {
  readonly concurrency: number;
  readonly maxWaitMs: number;
}

export type HashQueue = ReturnType<typeof createHashQueue>;

/**
 * Limits hashing: at most `concurrency` tasks run, others wait in the queue for at most `maxWaitMs` and then fail with
 * ServiceUnavailable. Too many logins fail with 503 and Retry-After, and refreshes stay fast.
 */
export function createHashQueue({ concurrency, maxWaitMs }: HashQueueConfig) {
  const waiting = new Set<() => void>();
  let running = 0;

  function takeSlot(): Promise<void> | undefined {
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

  /** Gives the slot of a finished task to the task that waited longest (a Set keeps insertion order). */
  function releaseSlot(): void {
    const next = waiting.values().next();
    if (next.done) {
      running -= 1;
      return;
    }
    waiting.delete(next.value);
    next.value();
  }

  return {
    /** @throws AppError ServiceUnavailable when no slot is free in time */
    async run<T>(task: () => Promise<T>): Promise<T> {
      await takeSlot();
      try {
        return await task();
      } finally {
        releaseSlot();
      }
    },
    /** Returns the number of running and waiting tasks. */
    depth: () => ({ running, waiting: waiting.size }),
  };
}

function overloaded(maxWaitMs: number): AppError {
  return new AppError("ServiceUnavailable", {
    detail: "Too many passwords are being checked. Try again shortly.",
    retryAfter: Math.max(1, Math.ceil(maxWaitMs / 1000)),
  });
}
