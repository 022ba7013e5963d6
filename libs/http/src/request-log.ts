import { runInContext } from "@gatehouse/observability";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isHealthCheck, routeOf } from "./request-context.ts";

/**
 * Writes the one line of a request: method, route, status, duration. The route's pattern instead of the path, and no query, header,
 * body or address, because those hold personal data. Health checks are logged at debug.
 */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const answered = reply.raw.writableEnded;
  const line = {
    method: request.method,
    route: routeOf(request) ?? "none",
    ...(answered ? { status: reply.statusCode } : { aborted: true }),
    duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    ...(request.problem && { problem: request.problem }),
  };
  const level = isHealthCheck(request) ? "debug" : "info";
  // The end of a response comes from the socket, outside the request's context.
  runInContext(request.context, () => request.log[level](line, "request"));
}
