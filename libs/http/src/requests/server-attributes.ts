import type { Attributes } from "@opentelemetry/api";
import type { FastifyReply, FastifyRequest } from "fastify";

const SERVER_ERROR = 500;

/**
 * What a span and a measurement say of a request (OpenTelemetry's conventions for HTTP servers). `url.path`, `url.query` and
 * `client.address` are left out on purpose: a path holds whatever a client types into it, an address is somebody's.
 */
export function requestAttributes(request: FastifyRequest, route: string | undefined): Attributes {
  return {
    "http.request.method": request.method,
    "url.scheme": request.protocol,
    ...(route !== undefined && { "http.route": route }),
  };
}

/** What they say of its answer; a client that left before it got none. */
export function answerAttributes(request: FastifyRequest, reply: FastifyReply): Attributes {
  if (!reply.raw.writableEnded) return { "error.type": "aborted" };
  const { statusCode } = reply;
  return {
    "http.response.status_code": statusCode,
    ...(statusCode >= SERVER_ERROR && { "error.type": request.problem ?? String(statusCode) }),
  };
}
