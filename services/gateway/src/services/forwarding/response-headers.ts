import type { IncomingHttpHeaders } from "node:http";

/** Headers of a service that a client must not get: hop-by-hop headers, and those that name the server. */
const DROPPED = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "server",
  "via",
  "x-powered-by",
  // The gateway sets these itself.
  "x-correlation-id",
  "traceparent",
  "strict-transport-security",
  "content-security-policy",
] as const;

/** Removes these headers in place, and the internal scheme and host of a redirect. */
export function cleanResponseHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  for (const name of DROPPED) delete headers[name];
  const { location } = headers;
  if (location !== undefined && URL.canParse(location)) {
    const { pathname, search, hash } = new URL(location);
    headers.location = pathname + search + hash;
  }
  return headers;
}
