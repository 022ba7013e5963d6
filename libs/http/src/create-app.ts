import { AppError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import { fastify, LogController } from "fastify";
import type { App } from "./app.ts";
import { keepConnections } from "./requests/connections.ts";
import { createErrorHandler, sendProblem, type TranslateError } from "./errors/error-handler.ts";
import { addHealth, type CheckReadiness } from "./health.ts";
import { addJsonParser } from "./requests/json-parser.ts";
import { addOpenApi, type OpenApiOptions } from "./openapi/openapi.ts";
import { createClientErrorHandler, refuseConnect } from "./errors/raw-answers.ts";
import { addRequestContext, contextOf, correlationIdOf } from "./requests/request-context.ts";
import { addRequestEnd, createRequestEnd, type EndRequest } from "./requests/request-end.ts";
import { serializerCompiler } from "./schemas/serializer.ts";
import { validatorCompiler } from "./schemas/validator.ts";

export interface AppOptions {
  readonly logger: Logger;
  /** What `GET /health/ready` answers while the process is not draining. */
  readonly readiness: CheckReadiness;
  /** Addresses and CIDR ranges whose X-Forwarded-For is believed; none by default. */
  readonly trustProxy?: readonly string[];
  /** Knows the errors of the libraries that the service uses; undefined: not one of them. */
  readonly translateError?: TranslateError;
  /** Bytes; 1 MiB by default. */
  readonly bodyLimit?: number;
  /** The service's own document at `GET /openapi.json`; false: none. */
  readonly openapi?: OpenApiOptions | false;
}

const MEBIBYTE = 1024 * 1024;
const HEADERS_MAX_BYTES = 16 * 1024;
// Longer than any client of ours keeps an idle connection (the gateway's at most a minute): the side that closes
// must be the one that would send next, or a request meets a closing connection.
const KEEP_ALIVE_MS = 72_000;
const REQUEST_MS = 30_000;

/** What every process answers alike: problems, correlation, log, health, limits. Adds no business route and never listens. */
export function createApp(options: AppOptions): App {
  const endRequest = createRequestEnd();
  const app = newFastify(options, endRequest);
  keepConnections(app);
  refuseConnect(app.server, options.logger);
  // An expectation that we do not know may be ignored (RFC 9110, section 10.1.1); Node would answer a bare 417.
  app.server.on("checkExpectation", (request, response) => app.server.emit("request", request, response));

  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(createErrorHandler(options.translateError));
  addJsonParser(app);
  addRequestContext(app);
  addRequestEnd(app, endRequest);
  refuseMissingHost(app);
  refuseUnknownRoutes(app);
  if (options.openapi) addOpenApi(app, options.openapi);
  addHealth(app, options.readiness);
  return app;
}

function newFastify({ logger, trustProxy = [], bodyLimit = MEBIBYTE }: AppOptions, endRequest: EndRequest): App {
  const app = fastify({
    loggerInstance: logger,
    // The context's mixin says what a child logger would, and request-end.ts has the line written.
    childLoggerFactory: (parent) => parent,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: (request) => correlationIdOf(request.headers),
    trustProxy: trustProxy.length > 0 ? [...trustProxy] : false,
    bodyLimit,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: HEADERS_MAX_BYTES },
    http: {
      maxHeaderSize: HEADERS_MAX_BYTES,
      // Answered by refuseMissingHost, in our shape.
      requireHostHeader: false,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: 5_000,
    },
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: "idle",
    // While closing, what still arrives on a kept-alive connection is answered and the connection then closed.
    return503OnClosing: false,
    clientErrorHandler: createClientErrorHandler(logger),
    // Reached before any hook runs: a URL that cannot be decoded.
    frameworkErrors: (error, request, reply) => {
      request.context = contextOf(request);
      reply.header("x-correlation-id", request.id);
      reply.raw.once("close", () => endRequest(request, reply));
      createErrorHandler()(error, request, reply);
    },
  });
  return app as unknown as App;
}

function refuseMissingHost(app: App): void {
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.raw.httpVersion === "1.1" && request.headers.host === undefined) {
      done(new AppError("BadRequest", { detail: "The Host header is missing" }));
    } else done();
  });
}

// After every onRequest hook (CORS, rate limits) and before the body is looked at.
function refuseUnknownRoutes(app: App): void {
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new AppError("ResourceNotFound")));
  app.addHook("preParsing", (request, _reply, payload, done) => {
    done(request.is404 ? new AppError("ResourceNotFound") : null, payload);
  });
}
