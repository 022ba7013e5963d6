import type { App } from "@gatehouse/http";
import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import type { OpenApiService } from "../services/documents/openapi.service.ts";
import { REDOC_PAGE, SWAGGER_PAGE, SWAGGER_SCRIPT } from "./docs-pages.ts";

/** Files of packages, resolved on request: production does not serve them. */
const ASSETS = [
  {
    url: "/docs/swagger-ui.css",
    type: "text/css",
    find: () => import.meta.resolve("@fastify/swagger-ui/static/swagger-ui.css"),
  },
  {
    url: "/docs/swagger-ui-bundle.js",
    type: "text/javascript",
    find: () => import.meta.resolve("@fastify/swagger-ui/static/swagger-ui-bundle.js"),
  },
  {
    url: "/redoc/redoc.standalone.js",
    type: "text/javascript",
    find: () => import.meta.resolve("redoc/bundles/redoc.standalone.js"),
  },
];

const ASSET_SECONDS = 3_600;

/** Both pages need their own scripts and inline styles; ReDoc's search runs in a worker made from a blob. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export interface DocsRoutesDeps {
  readonly openapi: OpenApiService;
}

/** `/openapi.json`, `/docs` (Swagger UI) and `/redoc`. The gateway serves everything that they load. */
export function docsRoutes({ openapi }: DocsRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.get("/openapi.json", async (_request, reply) => {
      reply.header("content-type", "application/json; charset=utf-8");
      return JSON.stringify(await openapi.document());
    });
    serve("/docs", "text/html; charset=utf-8", () => SWAGGER_PAGE);
    serve("/docs/init.js", "text/javascript", () => SWAGGER_SCRIPT);
    serve("/redoc", "text/html; charset=utf-8", () => REDOC_PAGE);
    for (const { url, type, find } of ASSETS)
      serve(url, type, () => createReadStream(fileURLToPath(find())), `public, max-age=${ASSET_SECONDS}`);

    function serve(url: string, type: string, body: () => string | NodeJS.ReadableStream, cache = "no-store"): void {
      const headers = { "content-type": type, "cache-control": cache, "content-security-policy": PAGE_POLICY };
      app.get(url, (_request, reply) => reply.headers(headers).send(body()));
    }
  };
}
