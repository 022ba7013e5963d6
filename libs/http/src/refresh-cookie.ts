import { REFRESH_COOKIE } from "@gatehouse/contracts";
import { parseCookie, stringifySetCookie } from "cookie";
import type { FastifyReply, FastifyRequest } from "fastify";

export interface RefreshCookie {
  read(request: FastifyRequest): string | undefined;
  /** `maxAge` in seconds. */
  set(reply: FastifyReply, token: string, maxAge: number): void;
  clear(reply: FastifyReply): void;
}

/** Reads, sets and clears the refresh cookie (docs/reference/tokens.md). Browsers clear it only with the attributes it was set with. */
export function createRefreshCookie({ secure }: { readonly secure: boolean }): RefreshCookie {
  const { name, path } = REFRESH_COOKIE;
  const attributes = { name, path, httpOnly: true, sameSite: "strict", secure } as const;
  const send = (reply: FastifyReply, cookie: { value: string; maxAge: number; expires?: Date }) =>
    void reply.header("set-cookie", stringifySetCookie({ ...attributes, ...cookie }));
  return {
    read: (request) => parseCookie(request.headers.cookie ?? "")[name],
    set: (reply, token, maxAge) => send(reply, { value: token, maxAge }),
    clear: (reply) => send(reply, { value: "", maxAge: 0, expires: new Date(0) }),
  };
}
