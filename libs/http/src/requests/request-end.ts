import { metrics, SpanStatusCode } from "@opentelemetry/api";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isHealthCheck, routeOf } from "./request-context.ts";
import { logRequest } from "./request-log.ts";
import { answerAttributes, requestAttributes } from "./server-attributes.ts";

/** In seconds, from the OpenTelemetry conventions for `http.server.request.duration`. */
const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Called once when a request ends. */
export type EndRequest = (request: FastifyRequest, reply: FastifyReply) => void;

/** Returns a function that logs a finished request, records its duration and ends its span. */
export function createRequestEnd(): EndRequest {
  const measure = createMeasure();
  return (request, reply) => {
    logRequest(request, reply);
    if (isHealthCheck(request)) return;
    const answer = answerAttributes(request, reply);
    measure(reply.elapsedTime, { ...requestAttributes(request, routeOf(request)), ...answer });
    const { span } = request.context;
    if ("error.type" in answer) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.setAttributes(answer).end();
  };
}

export function addRequestEnd(app: FastifyInstance, end: EndRequest): void {
  app.addHook("onRequest", (request, reply, done) => {
    // Fastify calls no onResponse hook when the client disconnects before the answer.
    reply.raw.once("close", () => end(request, reply));
    done();
  });
}

function createMeasure() {
  const duration = metrics.getMeter("gatehouse").createHistogram("http.server.request.duration", {
    unit: "s",
    description: "Duration of HTTP requests by route, health checks excluded.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });
  return (milliseconds: number, attributes: Parameters<typeof duration.record>[1]) =>
    duration.record(milliseconds / 1_000, attributes);
}
