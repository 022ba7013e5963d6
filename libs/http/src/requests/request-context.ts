import {
  correlationIdFrom,
  openContext,
  type RequestContext,
  runInContext,
  type SpanDescription,
} from "@gatehouse/observability";
import { SpanKind } from "@opentelemetry/api";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { IncomingHttpHeaders } from "node:http";
import { requestAttributes } from "./server-attributes.ts";

interface RequestFailure {
  readonly err: unknown;
  /** An error that nobody knows is a defect of ours. */
  readonly isUnexpected: boolean;
}

declare module "fastify" {
  interface FastifyRequest {
    /** The request's correlation and trace, which is also the current context of everything it runs. */
    context: RequestContext;
    /** The type of the problem it was answered with. */
    problem: string | null;
    /** Why it was answered with a 5xx. */
    failure: RequestFailure | null;
  }
}

/** The correlation id of a request, by its headers. Fastify keeps it as `request.id`. */
export function correlationIdOf(headers: IncomingHttpHeaders): string {
  return correlationIdFrom(single(headers["x-correlation-id"]));
}

/** The context of a request that Fastify has given its id. Health checks are no part of any trace. */
export function contextOf(request: FastifyRequest): RequestContext {
  const received = { correlationId: request.id, traceparent: single(request.headers["traceparent"]) };
  return openContext(isHealthCheck(request) ? received : { ...received, span: serverSpan(request) });
}

/** Asked by orchestrators every few seconds: neither traced nor measured, and logged at debug. */
export function isHealthCheck(request: FastifyRequest): boolean {
  return routeOf(request)?.startsWith("/health") ?? false;
}

/** The pattern that the request's path matches; undefined when there is none. */
export function routeOf(request: FastifyRequest): string | undefined {
  return request.is404 ? undefined : request.routeOptions.url;
}

/**
 * Gives every request its context before anything else runs, and X-Correlation-ID to every response. Must be the
 * first hook: what comes later in the request's life runs inside it, body parsing and the handler's own callbacks too.
 */
export function addRequestContext(app: FastifyInstance): void {
  // Fastify wants the property declared with a value; the hook below sets it before anybody can read it.
  app.decorateRequest("context", null as unknown as RequestContext);
  app.decorateRequest("problem", null);
  app.decorateRequest("failure", null);
  app.addHook("onRequest", (request, reply, done) => {
    request.context = contextOf(request);
    reply.header("x-correlation-id", request.id);
    runInContext(request.context, done);
  });
}

function serverSpan(request: FastifyRequest): SpanDescription {
  const route = routeOf(request);
  return {
    name: route === undefined ? request.method : `${request.method} ${route}`,
    kind: SpanKind.SERVER,
    attributes: requestAttributes(request, route),
  };
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
