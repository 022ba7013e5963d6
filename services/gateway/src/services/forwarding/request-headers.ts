import type { IncomingHttpHeaders } from "node:http";

/**
 * Headers of a client that a service must not get: hop-by-hop headers (RFC 9110, section 7.6.1), those that frame the
 * body (the HTTP client writes its own), and those that the gateway sets for the services.
 */
const DROPPED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "traceparent",
  "tracestate",
  "trailer",
  "transfer-encoding",
  "true-client-ip",
  "upgrade",
  "via",
  "x-client-ip",
  "x-correlation-id",
  "x-real-ip",
]);
const DROPPED_PREFIXES = ["x-forwarded-", "x-internal-", "x-original-", "x-rewrite-", "x-http-method"] as const;

/** Returns the client's headers without the dropped ones, plus the gateway's own. */
export function requestHeaders(
  received: IncomingHttpHeaders,
  own: Readonly<Record<string, string | undefined>>,
): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (const name in received) {
    if (!DROPPED.has(name) && !(name.charCodeAt(0) === 120 && hasDroppedPrefix(name))) headers[name] = received[name];
  }
  return Object.assign(headers, own);
}

function hasDroppedPrefix(name: string): boolean {
  return DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix));
}
