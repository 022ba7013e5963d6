import fastifySwagger from "@fastify/swagger";
import { REFRESH_COOKIE } from "@gatehouse/contracts";
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { App } from "../app.ts";
import { withProblemResponse } from "./openapi-problem.ts";
import { withoutUnusedSchemas } from "./openapi-prune.ts";

export interface OpenApiOptions {
  readonly title: string;
  readonly description: string;
  readonly version: string;
}

/** For routes that need a bearer token: `schema: { security: BEARER_SECURITY }`. */
export const BEARER_SECURITY: Record<string, string[]>[] = [{ bearer: [] }];
/** For routes that need the refresh cookie. */
export const COOKIE_SECURITY: Record<string, string[]>[] = [{ refresh_cookie: [] }];

/**
 * Serves the OpenAPI 3.1 document of the app's routes at `GET /openapi.json`, without health routes, /internal routes and routes with
 * `schema: { hide: true }`.
 */
export function addOpenApi(app: App, info: OpenApiOptions): void {
  // Called directly: a registered plugin loads later and would miss the routes declared before that.
  fastifySwagger(
    app,
    {
      openapi: {
        openapi: "3.1.0",
        info: { ...info },
        components: {
          securitySchemes: {
            bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
            refresh_cookie: { type: "apiKey", in: "cookie", name: REFRESH_COOKIE.name },
          },
        },
      },
      transform: (document) => {
        const { schema, url } = createJsonSchemaTransform({})(document);
        return { schema: isHidden(url) ? { ...schema, hide: true } : schema, url };
      },
      transformObject: (document) =>
        withoutUnusedSchemas(withProblemResponse(createJsonSchemaTransformObject({})(document))) as never,
    },
    (error?: Error) => {
      if (error) throw error;
    },
  );
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
}

function isHidden(url: string): boolean {
  return url.startsWith("/internal/") || url.startsWith("/health");
}
