import { bearerOf, clientAddress, type VerifyBearer } from "@gatehouse/access";
import { AppError, isAppError } from "@gatehouse/errors";
import type { FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { isIP } from "node:net";
import type { Access } from "../routes/route-table.ts";
import { isHealthPath } from "./route-config.ts";

/**
 * Decides who calls, once a request: the address, and what the bearer says. Whether that is good enough is only
 * remembered here: limits count by it on every route, and routes that need a token judge it afterwards.
 */
export const identity = fp<{ verify: VerifyBearer }>(
  async (app, { verify }) => {
    app.decorateRequest("user", null);
    app.decorateRequest("bearerError", null);
    app.decorateRequest("callerAddress", "");

    app.addHook("onRequest", (request, _reply, done) => {
      request.callerAddress = callerAddress(request);
      const token = bearerOf(request);
      const { url, config } = request.routeOptions;
      if (token === undefined || config.entry?.unlimited || isHealthPath(url)) return done();
      verify(token).then(
        (claims) => {
          request.user = claims;
          done();
        },
        (error: Error) => {
          if (!isAppError(error)) return done(error);
          request.bearerError = error;
          done();
        },
      );
    });
  },
  { name: "identity" },
);

/** @throws AppError the reason why this caller may not call a route with this access */
export function requireAccess(access: Access, request: FastifyRequest): void {
  if (access === "public") return;
  if (!request.user) throw request.bearerError ?? new AppError("AuthenticationError");
  if (access === "admin" && request.user.role !== "admin") throw new AppError("PermissionDenied");
}

/** What a proxy forwards may be no address at all ("unknown", one with a port); then the proxy itself is who calls. */
function callerAddress(request: FastifyRequest): string {
  const address = clientAddress(request);
  return isIP(address) === 0 ? clientAddress({ ip: request.socket.remoteAddress ?? "" }) : address;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Why a bearer does not verify; null without one or when it does. */
    bearerError: AppError | null;
    /** The client's address as far as trusted proxies can tell. */
    callerAddress: string;
  }
}
