import { REFRESH_COOKIE } from "@gatehouse/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";

export interface RefreshCookie {
  read(request: FastifyRequest): string | undefined;
  /** `maxAge` in seconds. */
  set(reply: FastifyReply, token: string, maxAge: number): void;
  clear(reply: FastifyReply): void;
}

/** Reads, sets and clears the refresh cookie (docs/reference/tokens.md). Browsers clear it only with the attributes it was set with. */
export function createRefreshCookie({ secure }: { secure: boolean }): RefreshCookie {
  const attributes = { path: REFRESH_COOKIE.path, httpOnly: true, sameSite: "strict", secure } as const;
  return {
    read: (request) => request.cookies[REFRESH_COOKIE.name],
    set: (reply, token, maxAge) => void reply.setCookie(REFRESH_COOKIE.name, token, { ...attributes, maxAge }),
    clear: (reply) => void reply.setCookie(REFRESH_COOKIE.name, "", { ...attributes, maxAge: 0, expires: new Date(0) }),
  };
}
