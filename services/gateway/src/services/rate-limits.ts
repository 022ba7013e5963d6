import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { normalizeEmail } from "@gatehouse/contracts";
import type { Rate } from "./rate.ts";
import { createRateCounter, type RateCounter } from "./rate-counter.ts";
import type { RedisConnection } from "./redis.ts";

/** Limits that a route has besides the default one. */
export type ExtraLimit = "login" | "loginEmail" | "register" | "password";
export type LimitName = "default" | ExtraLimit;
export type RateLimits = Readonly<Record<LimitName, RateCounter>>;

const MINUTE = 60;
/** The limits that are no configuration (contract, section 5). */
const FIXED_RATES = {
  loginEmail: { limit: 10, seconds: MINUTE },
  password: { limit: 5, seconds: MINUTE },
} as const satisfies Partial<Record<LimitName, Rate>>;

/** One counter for each limit of the contract. */
export function createRateLimits(
  rates: Readonly<Record<"default" | "login" | "register", Rate>>,
  redis: RedisConnection | undefined,
): RateLimits {
  const counter = (name: LimitName, rate: Rate) => createRateCounter(name, rate, redis);
  return {
    default: counter("default", rates.default),
    login: counter("login", rates.login),
    register: counter("register", rates.register),
    loginEmail: counter("loginEmail", FIXED_RATES.loginEmail),
    password: counter("password", FIXED_RATES.password),
  };
}

/** A user's key in a counter. */
export function userKey(userId: string): string {
  return `user:${userId}`;
}

/** An address's key: an IPv6 client owns its whole /64, so that is what counts. */
export function addressKey(address: string): string {
  return `ip:${isIPv6(address) ? networkOf(address) : address}`;
}

/** The key of the email that a login form names; hashed, because Redis is no place for personal data. */
export function emailKey(email: string): string {
  return `email:${createHash("sha256").update(normalizeEmail(email)).digest("base64url")}`;
}

function networkOf(address: string): string {
  const [unzoned = ""] = address.split("%");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(unzoned);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = "", tail] = unzoned.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = [...before, ...new Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0"), ...after];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}
