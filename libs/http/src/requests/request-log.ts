import { runInContext } from "@gatehouse/observability";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isHealthCheck, routeOf } from "./request-context.ts";

/**
 * Writes the one line of a request: method, route, status, duration, and the error where it got a 5xx. The route's pattern instead of the
 * path, and no query, header, body or address, because those hold personal data.
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
  // The end of a response comes from the socket, outside the request's context.
  runInContext(request.context, () => log[levelOf(request, reply)](line, "request"));
}

/** docs/operations/logs.md, "Levels". A failed health check is no failure: it says in its answer what is away. */
function levelOf(request: FastifyRequest, reply: FastifyReply): "error" | "warn" | "info" | "debug" {
  if (request.failure?.isUnexpected) return "error";
  if (isHealthCheck(request)) return "debug";
  return reply.statusCode >= 500 ? "warn" : "info";
}
