import type { Role } from "@gatehouse/contracts";
import { AppError, isAppError } from "@gatehouse/errors";
import type { FastifyRequest } from "fastify";
import { bearerOf } from "../verification/bearer.ts";
import type { AccessClaims, VerifyBearer } from "../verification/claims.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set by the guards: who calls, or null where nobody needs to and nobody did. */
    user: AccessClaims | null;
  }
}

/** All guards are `onRequest` hooks: 401 and 403 are decided before body and query are looked at. */
export type Guard = (request: FastifyRequest) => Promise<void>;

/** Lets only a verified bearer pass. Throws AppError AuthenticationError, or what `verify` throws. */
export function requireUser(verify: VerifyBearer): Guard {
  return async (request) => {
    const token = bearerOf(request);
    if (token === undefined) throw new AppError("AuthenticationError");
    request.user = await verify(token);
  };
}

/** Lets everybody pass; a bearer that does not verify is ignored, because clients attach stale ones. */
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

/** Stands after `requireUser`. Throws AppError PermissionDenied for every other role. */
export function requireRole(role: Role): Guard {
  return async (request) => {
    if (currentUser(request).role !== role) throw new AppError("PermissionDenied");
  };
}

/** Who calls, behind `requireUser`. @throws AppError AuthenticationError without that guard */
export function currentUser(request: FastifyRequest): AccessClaims {
  if (!request.user) throw new AppError("AuthenticationError");
  return request.user;
}
