import { randomBytes } from "node:crypto";

// Version 00 has exactly four fields; a later version may append more, which a reader of version 00 leaves off
// (W3C Trace Context, section 3.2.2). ff is no version, and ids of zeroes only are void.
const TRACEPARENT =
  /^(?!ff)(?<version>[0-9a-f]{2})-(?!0{32})(?<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?<flags>[0-9a-f]{2})(?<rest>-.*)?$/;

const SAMPLED = "01";

/**
 * The `traceparent` of this process's span: a child of the caller's when that is valid (same trace, same sampling),
 * else the root of a new trace.
 */
export function traceparentFrom(header: string | undefined): string {
  const groups = header === undefined ? undefined : TRACEPARENT.exec(header)?.groups;
  const span = randomBytes(8).toString("hex");
  if (!groups || (groups["version"] === "00" && groups["rest"] !== undefined)) {
    return `00-${randomBytes(16).toString("hex")}-${span}-${SAMPLED}`;
  }
  return `00-${groups["trace"]}-${span}-${groups["flags"]}`;
}

/** The trace id within a `traceparent` that `traceparentFrom` made. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}
