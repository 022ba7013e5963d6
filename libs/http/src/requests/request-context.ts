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
  /** True for an error that no translation knows: a bug. */
  readonly isUnexpected: boolean;
}

declare module "fastify" {
  interface FastifyRequest {
    /** The correlation id and trace of the request; also the current context of all code that the request runs. */
    context: RequestContext;
    /** The `type` of the problem in the answer. */
    problem: string | null;
    /** The error behind a 5xx answer. */
    failure: RequestFailure | null;
  }
}

/** Returns the correlation id for a request with these headers. Fastify keeps it as `request.id`. */
export function correlationIdOf(headers: IncomingHttpHeaders): string {
  return correlationIdFrom(single(headers["x-correlation-id"]));
}

/** Returns the context of a request whose id is set. Health checks are not traced. */
export function contextOf(request: FastifyRequest): RequestContext {
  const received = { correlationId: request.id, traceparent: single(request.headers["traceparent"]) };
  return openContext(isHealthCheck(request) ? received : { ...received, span: serverSpan(request) });
}

/** Returns whether the request is a health check: not traced, not measured, logged at debug. */
export function isHealthCheck(request: FastifyRequest): boolean {
  return routeOf(request)?.startsWith("/health") ?? false;
}

/** Returns the route pattern that the request's path matches, undefined when none does. */
export function routeOf(request: FastifyRequest): string | undefined {
  return request.is404 ? undefined : request.routeOptions.url;
}

/**
 * Opens the context of each request and sets X-Correlation-ID on each response. Must be the first hook: everything later in the
 * request runs inside the context, body parsing and callbacks included.
 */
export function addRequestContext(app: FastifyInstance): void {
  // Fastify needs a value at declaration; the hook below sets the real one first.
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
