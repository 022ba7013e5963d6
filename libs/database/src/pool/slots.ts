import { databaseUnavailable } from "../database-error.ts";

/** The right to hold a connection, at most `max` at a time, first come, first served. */
export interface Slots {
  readonly waiting: number;
  /**
   * @param attempt gets a `cancel` while it waits
   * @throws AppError ServiceUnavailable when none is free within `waitMilliseconds`
   */
  take(waitMilliseconds: number, attempt: SlotAttempt): Promise<void>;
  give(): void;
}

export interface SlotAttempt {
  cancel?: (reason: Error) => void;
}

/** @param onTimeout called for each who is refused because none became free in time */
export function createSlots(max: number, onTimeout = () => {}): Slots {
  let free = max;
  const queue = new Set<() => void>();

  return {
    get waiting() {
      return queue.size;
    },

    async take(waitMilliseconds, attempt) {
      if (free > 0) {
        free -= 1;
        return;
      }
      await new Promise<void>((resolve, reject) => {
        const leave = () => {
          clearTimeout(timer);
          queue.delete(enter);
          delete attempt.cancel;
        };
        const enter = () => {
          leave();
          resolve();
        };
        attempt.cancel = (reason) => {
          leave();
          reject(reason);
        };
        const giveUp = () => {
          onTimeout();
          attempt.cancel?.(databaseUnavailable(new Error("no connection of the pool became free in time")));
        };
        const timer = setTimeout(giveUp, waitMilliseconds);
        queue.add(enter);
      });
    },

    give() {
      const [next] = queue;
      if (next) next();
      else free += 1;
    },
  };
}
