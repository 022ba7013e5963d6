import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { Count, Rate } from "./rate.ts";
import type { RedisConnection } from "./redis.ts";

/** Counts a request of `key` and returns the count. Never fails. */
export type RateCounter = (key: string) => Promise<Count>;

export interface RateCounterDeps {
  /** The limit's name, part of the Redis keys and of metrics; counters with one name count together. */
  readonly name: string;
  readonly rate: Rate;
  /** undefined: counts in this process's memory. */
  readonly redis: RedisConnection | undefined;
}

/**
 * Creates a counter with a fixed window per key, in Redis across gateways, or in this process's memory without Redis.
 */
export function createRateCounter({ name, rate, redis }: RateCounterDeps): RateCounter {
  const options = { keyPrefix: `gatehouse:rate:${name}`, points: rate.limit, duration: rate.seconds };
  const memory = new RateLimiterMemory(options);
  const limiter = redis
    ? new RateLimiterRedis({
        ...options,
        storeClient: redis.client,
        rejectIfRedisNotReady: true,
        insuranceLimiter: memory,
        // A key over the limit is rejected from memory until the window ends.
        inMemoryBlockOnConsumed: rate.limit + 1,
      })
    : memory;

  return async (key) => {
    try {
      return { name, ...toCount(rate, await limiter.consume(key), false) };
    } catch (error) {
      if (error instanceof RateLimiterRes) return { name, ...toCount(rate, error, true) };
      throw error;
    }
  };
}

function toCount(rate: Rate, state: RateLimiterRes, exceeded: boolean): Omit<Count, "name"> {
  return {
    limit: rate.limit,
    remaining: exceeded ? 0 : state.remainingPoints,
    resetSeconds: Math.max(1, Math.ceil(state.msBeforeNext / 1000)),
    exceeded,
  };
}
