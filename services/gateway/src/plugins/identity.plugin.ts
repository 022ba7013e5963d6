import { bearerOf, type VerifyBearer } from "@gatehouse/access";
import { AppError, isAppError } from "@gatehouse/errors";
import type { FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import type { Access } from "../routes/route-table.ts";
import { isHealthPath } from "./route-config.ts";

/**
 * Verifies the bearer of every request, once, and only remembers the outcome: limits count by it on every route,
 * and routes that need a token judge it afterwards.
 */
export const identity = fp<{ verify: VerifyBearer }>(
  async (app, { verify }) => {
    app.decorateRequest("user", null);
    app.decorateRequest("bearerError", null);

    app.addHook("onRequest", (request, _reply, done) => {
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

declare module "fastify" {
  interface FastifyRequest {
    /** Why a bearer does not verify; null without one or when it does. */
    bearerError: AppError | null;
  }
}
