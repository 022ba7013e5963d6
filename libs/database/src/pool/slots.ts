import { databaseUnavailable } from "../database-error.ts";

/** The connections of a pool at one moment. */
export interface PoolStats {
  /** Open connections, in use and idle. */
  readonly total: number;
  readonly idle: number;
  /** Queries that wait for a connection. */
  readonly waiting: number;
  /** How many connections may be open. */
  readonly max: number;
}

/** Slots for connections, at most `max` at a time, in the order of the requests. */
export interface Slots {
  readonly waiting: number;
  /**
   * @param attempt has a `cancel` while it waits
   * @throws AppError ServiceUnavailable when no slot is free within `waitMs`
   */
  take(waitMs: number, attempt: SlotAttempt): Promise<void>;
  give(): void;
}

export interface SlotAttempt {
  cancel?: (reason: Error) => void;
}

export interface SlotsDeps {
  readonly max: number;
  /** Called for each request that times out. */
  readonly onTimeout?: () => void;
}

export function createSlots({ max, onTimeout }: SlotsDeps): Slots {
  let free = max;
  const queue = new Set<() => void>();

  return {
    get waiting() {
      return queue.size;
    },

    async take(waitMs, attempt) {
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
          onTimeout?.();
          attempt.cancel?.(databaseUnavailable(new Error("no connection of the pool became free in time")));
        };
        const timer = setTimeout(giveUp, waitMs);
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
