import type { AccessClaims } from "@gatehouse/access";
import { AppError, isAppError } from "@gatehouse/errors";
import type { FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import type { Access } from "../routes/route-table.ts";
import { isHealthPath } from "./route-config.ts";

/**
 * Verifies the bearer of every request, once, and only remembers the outcome: limits count by it on every route,
 * and routes that need a token judge it afterwards.
 */
export const identity = fp<{ verify: (token: string) => Promise<AccessClaims> }>(
  async (app, { verify }) => {
    app.decorateRequest("bearerClaims", null);
    app.decorateRequest("bearerError", null);

    app.addHook("onRequest", (request, _reply, done) => {
      const token = bearerToken(request.headers.authorization);
      const { url, config } = request.routeOptions;
      if (token === undefined || config.entry?.unlimited || isHealthPath(url)) return done();
      verify(token).then(
        (claims) => {
          request.bearerClaims = claims;
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
  if (!request.bearerClaims) throw request.bearerError ?? new AppError("AuthenticationError");
  if (access === "admin" && request.bearerClaims.role !== "admin") throw new AppError("PermissionDenied");
}

/** The credentials of `Authorization: Bearer …` (RFC 6750); undefined with another scheme or none. */
function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^bearer +(\S+) *$/i.exec(header)?.[1];
}

declare module "fastify" {
  interface FastifyRequest {
    /** What a bearer that verifies claims; null without one. */
    bearerClaims: AccessClaims | null;
    /** Why a bearer does not verify; null without one or when it does. */
    bearerError: AppError | null;
  }
}
