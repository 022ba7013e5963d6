import { AppError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import { fastify, LogController } from "fastify";
import type { App } from "./app.ts";
import { keepConnections } from "./requests/connections.ts";
import { createErrorHandler, sendProblem, type TranslateError } from "./errors/error-handler.ts";
import { addHealth, type CheckReadiness } from "./health.ts";
import { addJsonParser } from "./requests/json-parser.ts";
import { addOpenApi, type OpenApiOptions } from "./openapi/openapi.ts";
import { createClientErrorHandler, rejectConnect } from "./errors/raw-answers.ts";
import { addRequestContext, contextOf, correlationIdOf } from "./requests/request-context.ts";
import { addRequestEnd, createRequestEnd, type EndRequest } from "./requests/request-end.ts";
import { serializerCompiler } from "./schemas/serializer.ts";
import { validatorCompiler } from "./schemas/validator.ts";

export interface AppOptions {
  readonly logger: Logger;
  /** Returns the answer of `GET /health/ready` while the process is not draining. */
  readonly readiness: CheckReadiness;
  /** Addresses and CIDR ranges whose X-Forwarded-For is trusted. Default: none. */
  readonly trustProxy?: readonly string[];
  /** Translates errors of the libraries that the service uses. */
  readonly translateError?: TranslateError;
  /** Info of the service's OpenAPI document at `GET /openapi.json`. Default: no document. */
  readonly openapi?: OpenApiOptions | false;
}

/** Enough for the short texts of a request. A route that takes more declares its own `bodyLimit` (docs/reference/http.md). */
const BODY_MAX_BYTES = 16 * 1024;
const HEADERS_MAX_BYTES = 16 * 1024;
// Longer than any client of ours keeps an idle connection (the gateway: at most a minute). The client must close first, or a request
// could reach a closing connection.
const KEEP_ALIVE_MS = 72_000;
const REQUEST_MS = 30_000;

/** Returns an app with what all services share: problems, correlation, request log, health and size limits. It does not listen. */
export function createApp(options: AppOptions): App {
  const endRequest = createRequestEnd();
  const app = newFastify(options, endRequest);
  keepConnections(app);
  rejectConnect(app.server, options.logger);
  // A server may ignore an unknown expectation (RFC 9110, section 10.1.1); Node would answer a bare 417.
  app.server.on("checkExpectation", (request, response) => app.server.emit("request", request, response));

  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(createErrorHandler(options.translateError));
  addJsonParser(app);
  addRequestContext(app);
  addRequestEnd(app, endRequest);
  rejectMissingHost(app);
  rejectUnknownRoutes(app);
  if (options.openapi) addOpenApi(app, options.openapi);
  addHealth(app, options.readiness);
  return app;
}

function newFastify({ logger, trustProxy = [] }: AppOptions, endRequest: EndRequest): App {
  const app = fastify({
    loggerInstance: logger,
    // The logger's mixin adds the request's context, and request-end.ts logs the request.
    childLoggerFactory: (parent) => parent,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => correlationIdOf(request.headers),
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    bodyLimit: BODY_MAX_BYTES,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: HEADERS_MAX_BYTES },
    http: {
      maxHeaderSize: HEADERS_MAX_BYTES,
      // rejectMissingHost answers with a problem instead.
      requireHostHeader: false,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: 5_000,
    },
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: "idle",
    // A request that arrives during close is answered before its connection closes.
    return503OnClosing: false,
    clientErrorHandler: createClientErrorHandler(logger),
    // Runs before any hook, for a URL that cannot be decoded.
    frameworkErrors: (error, request, reply) => {
      request.context = contextOf(request);
      reply.header("x-correlation-id", request.id);
      reply.raw.once("close", () => endRequest(request, reply));
      createErrorHandler()(error, request, reply);
    },
  });
  return app as unknown as App;
}

function rejectMissingHost(app: App): void {
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.raw.httpVersion === "1.1" && request.headers.host === undefined) {
      done(new AppError("BadRequest", { detail: "The Host header is missing" }));
    } else done();
  });
}

// Runs after all onRequest hooks (CORS, rate limits) and before the body is read.
function rejectUnknownRoutes(app: App): void {
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new AppError("ResourceNotFound")));
  app.addHook("preParsing", (request, _reply, payload, done) => {
    done(request.is404 ? new AppError("ResourceNotFound") : null, payload);
  });
}
