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

/** Only a base for the proxy's own path checks; the upstream that is given to it chooses the real one. */
const BASE_URL = "http://upstream.invalid";

const ANY_CONTENT_TYPE = "application/octet-stream";

/**
 * Forwards exactly the rows of the route table, each by one registration of the proxy. All registrations of a service
 * share its upstream, and so its connections.
 */
export async function proxyRoutes(app: App, { upstreams }: { upstreams: Upstreams }): Promise<void> {
  // Bodies are read whole, up to the limit, and forwarded byte for byte; only the services understand them.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body.length > 0 ? body : undefined),
  );

  // The proxy warns of each failure, which the line of the request tells as well.
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
}

/** 400, 401 and 403, before the body is read. */
function guard(app: App, request: FastifyRequest): void {
  const { entry } = request.routeOptions.config;
  if (!isPlainPath(request.raw.url ?? "")) throw new AppError("BadRequest", { detail: "The path is not plain." });
  if (entry?.cookie) app.refuseForeignOrigin(request);
  if (entry) requireAccess(entry.access, request);
}

function proxyOptions(entry: RouteEntry, upstream: Upstream) {
  return {
    upstream: BASE_URL,
    // The proxy asks for no more than this one function, in the types of the undici that it brings along.
    undici: { request: forward.bind(undefined, upstream, entry.path) as never },
    routes: [entry.path],
    httpMethods: [entry.method],
    config: { entry },
    proxyPayloads: false,
    // The upstream repeats what may be repeated; the proxy's own retries ask again after a 503 ten times.
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
  // Only with a content type does the proxy pass a body through untouched; the header sent is still the client's own.
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
  // The proxy wraps what the upstream reported; the original says more and tells the client less.
  reply.send(isAppError(error.cause) ? error.cause : error);
}
