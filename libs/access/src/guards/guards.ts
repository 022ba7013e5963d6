import type { Role } from "@gatehouse/contracts";
import { AppError, isAppError } from "@gatehouse/errors";
import type { FastifyRequest } from "fastify";
import { bearerOf } from "./caller.ts";
import type { AccessClaims, VerifyBearer } from "../verification/claims.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The verified user, set by the guards; null without one. */
    user: AccessClaims | null;
  }
}

/** Guards are `onRequest` hooks: they reject with 401 and 403 before body and query are validated. */
export type Guard = (request: FastifyRequest) => Promise<void>;

/** Returns a guard that requires a verified bearer. It throws AppError AuthenticationError, or what `verify` throws. */
export function requireUser(verify: VerifyBearer): Guard {
  return async (request) => {
    const token = bearerOf(request);
    if (token === undefined) throw new AppError("AuthenticationError");
    request.user = await verify(token);
  };
}

/** Returns a guard that verifies a bearer if there is one. It ignores an invalid one, because clients attach expired tokens. */
export function optionalUser(verify: VerifyBearer): Guard {
  return async (request) => {
    request.user = null;
    const token = bearerOf(request);
    if (token === undefined) return;
    request.user = await verify(token).catch((error: unknown) => {
      if (isAppError(error) && error.status === 401) return null;
      throw error;
    });
  };
}

/** Returns a guard for use after `requireUser`. It throws AppError PermissionDenied for every other role. */
export function requireRole(role: Role): Guard {
  return async (request) => {
    if (currentUser(request).role !== role) throw new AppError("PermissionDenied");
  };
}

/** Returns the user that `requireUser` verified. @throws AppError AuthenticationError without that guard */
export function currentUser(request: FastifyRequest): AccessClaims {
  if (!request.user) throw new AppError("AuthenticationError");
  return request.user;
}
