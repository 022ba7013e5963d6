import type { App } from "@gatehouse/http";
import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import type { OpenApiService } from "../services/openapi.service.ts";
import { REDOC_PAGE, SWAGGER_PAGE, SWAGGER_SCRIPT } from "./docs-pages.ts";

const ASSETS = {
  "/docs/swagger-ui.css": { module: "@fastify/swagger-ui/static/swagger-ui.css", type: "text/css; charset=utf-8" },
  "/docs/swagger-ui-bundle.js": { module: "@fastify/swagger-ui/static/swagger-ui-bundle.js", type: "text/javascript" },
  "/redoc/redoc.standalone.js": { module: "redoc/bundles/redoc.standalone.js", type: "text/javascript" },
} as const;

const ASSET_SECONDS = 3_600;

/** What both pages need: their own scripts, inline styles, and ReDoc's search in a worker made from a blob. */
const PAGE_POLICY = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", "data:"],
      fontSrc: ["'self'", "data:"],
      connectSrc: ["'self'"],
      workerSrc: ["blob:"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
    },
  },
} as const;

/** `/openapi.json`, `/docs` (Swagger UI) and `/redoc`. Everything they load is served from here, nothing from elsewhere. */
export async function docsRoutes(app: App, { openapi }: { openapi: OpenApiService }): Promise<void> {
  app.get("/openapi.json", async (_request, reply) => {
    reply.header("content-type", "application/json; charset=utf-8");
    return JSON.stringify(await openapi.document());
  });
  serve("/docs", "text/html; charset=utf-8", () => SWAGGER_PAGE);
  serve("/docs/init.js", "text/javascript", () => SWAGGER_SCRIPT);
  serve("/redoc", "text/html; charset=utf-8", () => REDOC_PAGE);
  for (const [url, { module, type }] of Object.entries(ASSETS)) {
    const file = fileURLToPath(import.meta.resolve(module));
    serve(url, type, () => createReadStream(file), `public, max-age=${ASSET_SECONDS}`);
  }

  function serve(url: string, type: string, body: () => string | NodeJS.ReadableStream, cache = "no-store"): void {
    app.get(url, { helmet: PAGE_POLICY }, (_request, reply) =>
      reply.header("content-type", type).header("cache-control", cache).send(body()),
    );
  }
}
