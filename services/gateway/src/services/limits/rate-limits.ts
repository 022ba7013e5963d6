import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { normalizeEmail, type RouteLimit } from "@gatehouse/contracts";
import ipaddr from "ipaddr.js";
import type { Rate } from "./rate.ts";
import { createRateCounter, type RateCounter } from "./rate-counter.ts";
import type { RedisConnection } from "./redis.ts";

export type LimitName = "default" | RouteLimit;
export type RateLimits = Readonly<Record<LimitName, RateCounter>>;

const MINUTE_SECONDS = 60;
/** Limits that are not configurable (docs/reference/limits.md). */
const FIXED_RATES = {
  loginEmail: { limit: 10, seconds: MINUTE_SECONDS },
  password: { limit: 5, seconds: MINUTE_SECONDS },
} as const satisfies Partial<Record<LimitName, Rate>>;

export interface RateLimitsDeps {
  readonly rates: Readonly<Record<"default" | "login" | "register", Rate>>;
  readonly redis: RedisConnection | undefined;
}

/** Creates a counter for each limit. */
export function createRateLimits({ rates, redis }: RateLimitsDeps): RateLimits {
  const counter = (name: string, rate: Rate) => createRateCounter({ name, rate, redis });
  return {
    default: counter("default", rates.default),
    login: counter("login", rates.login),
    register: counter("register", rates.register),
    loginEmail: counter("login_email", FIXED_RATES.loginEmail),
    password: counter("password", FIXED_RATES.password),
  };
}

/** Returns a user's key. */
export function userKey(userId: string): string {
  return `user:${userId}`;
}

/** Returns an address's key; for IPv6 that of the /64, which one client owns. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return `ip:${address}`;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return `ip:${parsed.toIPv4Address().toString()}`;
  const network = parsed.parts.slice(0, 4).map((part) => part.toString(16));
  return `ip:${network.join(":")}::/64`;
}

/** Returns an email's key, hashed, so that Redis holds no personal data. */
export function emailKey(email: string): string {
  return `email:${createHash("sha256").update(normalizeEmail(email)).digest("base64url")}`;
}
