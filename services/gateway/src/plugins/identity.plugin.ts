import { bearerOf, clientAddress, type VerifyBearer } from "@gatehouse/access";
import { AppError, isAppError } from "@gatehouse/errors";
import type { FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { isIP } from "node:net";
import type { RouteAccess as Access } from "@gatehouse/contracts";
import { isHealthPath } from "./route-config.ts";

/**
 * Finds the address and verifies the bearer once per request, and stores both. Limits use them on every route; routes
 * that need a token check the stored result later.
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

/** @throws AppError when the caller has no access to the route */
export function requireAccess(access: Access, request: FastifyRequest): void {
  if (access === "public") return;
  if (!request.user) throw request.bearerError ?? new AppError("AuthenticationError");
  if (access === "admin" && request.user.role !== "admin") throw new AppError("PermissionDenied");
}

/** A proxy can forward something other than an address ("unknown", or one with a port); then its own address counts. */
function callerAddress(request: FastifyRequest): string {
  const address = clientAddress(request);
  return isIP(address) === 0 ? clientAddress({ ip: request.socket.remoteAddress ?? "" }) : address;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Why the bearer is invalid; null when it is valid or missing. */
    bearerError: AppError | null;
    /** The client's address according to the trusted proxies. */
    callerAddress: string;
  }
}
