import cors from "@fastify/cors";
import { AppError } from "@gatehouse/errors";
import type { FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { isOwnOrigin } from "../services/origins/own-origin.ts";

const WILDCARD = "*";
const PREFLIGHT_SECONDS = 600;

/**
 * Answers preflights and sets CORS headers for the listed origins, with credentials (docs/reference/limits.md). Other
 * origins get no CORS header. Routes that use the refresh cookie reject a foreign origin.
 */
export const crossOrigin = fp<{ origins: readonly string[] }>(
  async (app, { origins }) => {
    const listed = new Set(origins);
    const isListed = (origin: string) => listed.has(origin) || listed.has(WILDCARD);

    app.addHook("onRequest", (request, _reply, done) => {
      const isOther = request.method === "OPTIONS" && !isPreflight(request);
      done(isOther ? new AppError("ResourceNotFound") : undefined);
    });
    await app.register(cors, {
      origin: (origin, decide) => decide(null, origin !== undefined && isListed(origin)),
      // The hook above checks for preflights; the plugin's own check would respond in plain text.
      strictPreflight: false,
      credentials: true,
      methods: ["GET", "HEAD", "POST", "PATCH", "DELETE"],
      allowedHeaders: ["Authorization", "Content-Type", "X-Correlation-ID", "Traceparent"],
      exposedHeaders: [
        "X-Correlation-ID",
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "Retry-After",
      ],
      maxAge: PREFLIGHT_SECONDS,
    });

    app.decorate("refuseForeignOrigin", (request: FastifyRequest) => {
      const { origin } = request.headers;
      if (origin === undefined || isListed(origin) || isOwnOrigin(origin, request.protocol, request.host)) return;
      throw new AppError("PermissionDenied", { detail: "This origin is not allowed to use this route." });
    });
  },
  { name: "cross-origin" },
);

/** Returns whether this is the request that a browser sends before a cross-origin request (Fetch Standard). */
export function isPreflight(request: FastifyRequest): boolean {
  return (
    request.method === "OPTIONS" &&
    request.headers.origin !== undefined &&
    request.headers["access-control-request-method"] !== undefined
  );
}

declare module "fastify" {
  interface FastifyInstance {
    /** @throws AppError PermissionDenied for an `Origin` that is neither listed nor the gateway's own */
    refuseForeignOrigin(request: FastifyRequest): void;
  }
}
