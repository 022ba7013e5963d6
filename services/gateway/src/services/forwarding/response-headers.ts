import type { IncomingHttpHeaders } from "node:http";

/** What a service's answer must not bring to the client: hop-by-hop headers, and what names the server behind. */
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
  // The gateway has set its own of these on the answer already.
  "x-correlation-id",
  "traceparent",
  "strict-transport-security",
  "content-security-policy",
] as const;

/** Removes them in place, and the scheme and host of a redirect, which are internal. */
export function cleanResponseHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  for (const name of DROPPED) delete headers[name];
  const { location } = headers;
  if (location !== undefined && URL.canParse(location)) {
    const { pathname, search, hash } = new URL(location);
    headers.location = pathname + search + hash;
  }
  return headers;
}
