import { runInContext } from "@gatehouse/observability";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/**
 * One line a request, when it is over: method, route, status, duration. The route's pattern instead of the path, and
 * no query, header, body or address, because those hold personal data. Health checks are logged at debug.
 */
export function addRequestLog(app: FastifyInstance): void {
  app.addHook("onRequest", (request, reply, done) => {
    // Not Fastify's onResponse, which does not come when the client has left before its answer.
    reply.raw.once("close", () => logRequest(request, reply));
    done();
  });
}

/** Writes the line of one request, in its context: the end of a response comes from the socket, outside it. */
export function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const route = request.is404 ? undefined : request.routeOptions.url;
  const answered = reply.raw.writableEnded;
  const line = {
    method: request.method,
    route: route ?? "none",
    ...(answered ? { status: reply.statusCode } : { aborted: true }),
    duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    ...(request.problem && { problem: request.problem }),
  };
  const level = route?.startsWith("/health") ? "debug" : "info";
  runInContext(request.context, () => request.log[level](line, "request"));
}
