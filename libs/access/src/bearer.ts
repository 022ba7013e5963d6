import type { FastifyRequest } from "fastify";

const BEARER = /^Bearer +(\S+) *$/i;

/** The token of an `Authorization: Bearer` header (RFC 6750, section 2.1); the scheme's case does not matter (RFC 9110, section 11.1). */
export function bearerOf(request: Pick<FastifyRequest, "headers">): string | undefined {
  return BEARER.exec(request.headers.authorization ?? "")?.[1];
}
