import type { FastifyRequest } from "fastify";
import ipaddr from "ipaddr.js";

const BEARER = /^Bearer(?: +(.*))?$/i;

/**
 * Returns the token of an `Authorization: Bearer` header (RFC 6750, section 2.1), undefined without one.
 * The scheme is case-insensitive (RFC 9110, section 11.1).
 */
export function bearerOf(request: Pick<FastifyRequest, "headers">): string | undefined {
  return BEARER.exec(request.headers.authorization ?? "")?.[1]?.trim() || undefined;
}

/** Returns the client's address as Fastify's `trustProxy` decides; an IPv4 address mapped into IPv6 becomes IPv4. */
export function clientAddress(request: Pick<FastifyRequest, "ip">): string {
  const { ip } = request;
  return ipaddr.isValid(ip) ? ipaddr.process(ip).toString() : ip;
}
