import { runInContext } from "@gatehouse/observability";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isHealthCheck, routeOf } from "./request-context.ts";

/**
 * Logs one line for a request: method, route pattern, status, duration, and the error behind a 5xx. Path, query, headers, body and
 * address are left out because they hold personal data.
 */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const answered = reply.raw.writableEnded;
  const line = {
    method: request.method,
    route: routeOf(request) ?? "none",
    ...(answered ? { status: reply.statusCode } : { aborted: true }),
    duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    ...(request.problem && { problem: request.problem }),
    ...(request.failure && { err: request.failure.err }),
  };
  const { log } = request.server;
  // The socket's close event runs outside the request's context.
  runInContext(request.context, () => log[levelOf(request, reply)](line, "request"));
}

/** docs/operations/logs.md, "Levels". A failed health check logs at debug: its answer names the failed dependency. */
function levelOf(request: FastifyRequest, reply: FastifyReply): "error" | "warn" | "info" | "debug" {
  if (request.failure?.isUnexpected) return "error";
  if (isHealthCheck(request)) return "debug";
  return reply.statusCode >= 500 ? "warn" : "info";
}
