import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { Count, Rate } from "./rate.ts";
import type { RedisConnection } from "./redis.ts";

/** Counts one more request of `key` and says where it stands. Never fails. */
export type RateCounter = (key: string) => Promise<Count>;

/**
 * A fixed window a key, counted in Redis across gateways; in this process's memory while Redis is away, or for good
 * without one.
 * @param name of the limit: part of the Redis keys, where counters with the same name count together, and of what is measured
 */
export function createRateCounter(name: string, rate: Rate, redis: RedisConnection | undefined): RateCounter {
  const options = { keyPrefix: `gatehouse:rate:${name}`, points: rate.limit, duration: rate.seconds };
  const memory = new RateLimiterMemory(options);
  const limiter = redis
    ? new RateLimiterRedis({
        ...options,
        storeClient: redis.client,
        rejectIfRedisNotReady: true,
        insuranceLimiter: memory,
        // Whoever is over the limit is refused from memory until the window ends, without asking Redis again.
        inMemoryBlockOnConsumed: rate.limit + 1,
      })
    : memory;

  return async (key) => {
    try {
      return { name, ...toCount(rate, await limiter.consume(key), false) };
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return { name, ...toCount(rate, refusal, true) };
      throw refusal;
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
