import type { FastifyRequest } from "fastify";

const BEARER = /^Bearer(?: +(.*))?$/i;

/**
 * What an `Authorization: Bearer` header carries (RFC 6750, section 2.1), well-formed or not; undefined without one.
 * The scheme's case does not matter (RFC 9110, section 11.1).
 */
export function bearerOf(request: Pick<FastifyRequest, "headers">): string | undefined {
  return BEARER.exec(request.headers.authorization ?? "")?.[1]?.trim() || undefined;
}
