import httpProxy from "@fastify/http-proxy";
import { AppError, isAppError } from "@gatehouse/errors";
import type { App } from "@gatehouse/http";
import type { Upstream } from "@gatehouse/upstream";
import type { FastifyRequest } from "fastify";
import type { IncomingHttpHeaders } from "node:http";
import { requireAccess } from "../plugins/identity.plugin.ts";
import { forward } from "../services/forwarding/forward.ts";
import { isPlainPath } from "../services/forwarding/plain-path.ts";
import { requestHeaders } from "../services/forwarding/request-headers.ts";
import { cleanResponseHeaders } from "../services/forwarding/response-headers.ts";
import { ROUTE_TABLE, type RouteEntry, type Service } from "./route-table.ts";

export type Upstreams = Readonly<Record<Service, Upstream>>;

/** A base for the proxy's own path checks; the upstream chooses the real origin. */
const BASE_URL = "http://upstream.invalid";

const ANY_CONTENT_TYPE = "application/octet-stream";

export interface ProxyRoutesDeps {
  readonly upstreams: Upstreams;
}

/**
 * Forwards the rows of the route table, each with one registration of the proxy. All registrations of a service share
 * its upstream and connections.
 */
export function proxyRoutes({ upstreams }: ProxyRoutesDeps) {
  return async (app: App): Promise<void> => {
    // Bodies are read completely, up to the limit, and forwarded unchanged; only the services parse them.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) =>
      done(null, body.length > 0 ? body : undefined),
    );

    // The proxy logs each failure, which the request's own log line already has.
    const isQuieter = ["fatal", "silent"].includes(app.log.level);
    const quiet = app.log.child({}, { level: isQuieter ? app.log.level : "error" });
    app.setChildLoggerFactory(() => quiet);

    app.addHook("onRequest", (request, _reply, done) => {
      try {
        guard(app, request);
        done();
      } catch (error) {
        done(error as Error);
      }
    });
    for (const entry of ROUTE_TABLE) await app.register(httpProxy, proxyOptions(entry, upstreams[entry.service]));
  };
}

/** 400, 401 and 403, before the body is read. */
function guard(app: App, request: FastifyRequest): void {
  const { entry } = request.routeOptions.config;
  if (!isPlainPath(request.raw.url ?? ""))
    throw new AppError("BadRequest", {
      detail: "The path contains empty or dotted segments, a backslash, or encoded separators. Send a normalized path.",
    });
  if (entry?.cookie) app.refuseForeignOrigin(request);
  if (entry) requireAccess(entry.access, request);
}

function proxyOptions(entry: RouteEntry, upstream: Upstream) {
  return {
    upstream: BASE_URL,
    // The proxy only calls this function; its types are those of its own undici version.
    undici: { request: forward.bind(undefined, upstream, entry.path) as never },
    routes: [entry.path],
    httpMethods: [entry.method],
    config: { entry },
    proxyPayloads: false,
    // The upstream retries; the proxy's own retries would repeat a GET ten times after a 503.
    retryMethods: [],
    disableRequestLogging: true,
    handler: proxyBody,
    replyOptions: { rewriteRequestHeaders, rewriteHeaders: cleanResponseHeaders, onError },
  };
}

type ProxyHandler = NonNullable<Parameters<typeof httpProxy>[1]["handler"]>;

const proxyBody: ProxyHandler = (request, reply, path, options) => {
  const body = request.body as Buffer | undefined;
  if (body === undefined) return reply.from(path, options);
  // The proxy needs a content type to forward a body unchanged; the header sent is still the client's.
  return reply.from(path, { ...options, body, contentType: request.headers["content-type"] ?? ANY_CONTENT_TYPE });
};

type Caller = Pick<FastifyRequest, "headers" | "callerAddress" | "protocol" | "host">;

function rewriteRequestHeaders(request: Caller, received: IncomingHttpHeaders): IncomingHttpHeaders {
  return requestHeaders(received, {
    "content-type": request.headers["content-type"],
    "x-forwarded-for": request.callerAddress,
    "x-forwarded-proto": request.protocol,
    "x-forwarded-host": request.host,
  });
}

function onError(reply: { send(payload: unknown): unknown }, { error }: { error: Error }): void {
  // The proxy wraps the upstream's error; the original has more detail for the log and less for the client.
  reply.send(isAppError(error.cause) ? error.cause : error);
}
