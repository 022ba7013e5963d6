import type { Attributes } from "@opentelemetry/api";
import type { FastifyReply, FastifyRequest } from "fastify";

const SERVER_ERROR = 500;

/**
 * Returns the attributes of a request for spans and metrics (OpenTelemetry conventions for HTTP servers). It omits `url.path`,
 * `url.query` and `client.address`, which can hold personal data.
 */
export function requestAttributes(request: FastifyRequest, route: string | undefined): Attributes {
  return {
    "http.request.method": request.method,
    "url.scheme": request.protocol,
    ...(route !== undefined && { "http.route": route }),
  };
}

/** Returns the attributes of the answer, or `aborted` when the client disconnected first. */
export function answerAttributes(request: FastifyRequest, reply: FastifyReply): Attributes {
  if (!reply.raw.writableEnded) return { "error.type": "aborted" };
  const { statusCode } = reply;
  return {
    "http.response.status_code": statusCode,
    ...(statusCode >= SERVER_ERROR && { "error.type": request.problem ?? String(statusCode) }),
  };
}
