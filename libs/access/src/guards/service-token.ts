import { AppError } from "@gatehouse/errors";
import { createHash, timingSafeEqual } from "node:crypto";
import { bearerOf } from "./caller.ts";
import type { Guard } from "./guards.ts";

/**
 * Returns a guard that requires a service's shared token. Several are accepted, so that it can be rotated; all are
 * compared in constant time. It throws AppError AuthenticationError.
 */
export function serviceTokenGuard(tokens: readonly string[]): Guard {
  const digests = tokens.map(digest);
  return async (request) => {
    const token = bearerOf(request);
    if (token === undefined) throw new AppError("AuthenticationError");
    const presented = digest(token);
    let matches = false;
    for (const expected of digests) matches = timingSafeEqual(presented, expected) || matches;
    if (!matches) throw new AppError("AuthenticationError");
  };
}

/** Hashes to equal lengths, which the comparison needs, and which hide the length of the token. */
function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
