import { metrics, SpanStatusCode } from "@opentelemetry/api";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isHealthCheck, routeOf } from "./request-context.ts";
import { logRequest } from "./request-log.ts";
import { answerAttributes, requestAttributes } from "./server-attributes.ts";

/** Of the conventions for `http.server.request.duration`, in seconds. */
const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Called once for each request, when it is over. */
export type EndRequest = (request: FastifyRequest, reply: FastifyReply) => void;

/** What happens once a request is over: its line in the log, its measurement, the end of its span. */
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
    // Not Fastify's onResponse, which does not come when the client has left before its answer.
    reply.raw.once("close", () => end(request, reply));
    done();
  });
}

function createMeasure() {
  const duration = metrics.getMeter("gatehouse").createHistogram("http.server.request.duration", {
    unit: "s",
    description: "How long requests took, by route; health checks aside.",
    advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
  });
  return (milliseconds: number, attributes: Parameters<typeof duration.record>[1]) =>
    duration.record(milliseconds / 1_000, attributes);
}
