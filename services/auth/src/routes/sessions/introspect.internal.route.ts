import { serviceTokenGuard } from "@gatehouse/access";
import { INTROSPECTION_BODY_BYTES, IntrospectionRequest, IntrospectionResponse } from "@gatehouse/contracts";
import type { App } from "@gatehouse/http";
import type { IntrospectionService } from "../../services/sessions/introspection.service.ts";

export interface IntrospectRoutesDeps {
  readonly introspection: IntrospectionService;
  /** INTROSPECTION_TOKEN: each value is accepted. */
  readonly tokens: readonly string[];
}

/** Serves verifiers whose revocation view is stale. Never reachable through the gateway. */
export function introspectRoutes({ introspection, tokens }: IntrospectRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.addHook("onRequest", serviceTokenGuard(tokens));
    app.post(
      "/internal/introspect",
      {
        bodyLimit: INTROSPECTION_BODY_BYTES,
        schema: { hide: true, body: IntrospectionRequest, response: { 200: IntrospectionResponse } },
      },
      async (request) => ({ results: await introspection.introspect(request.body.tokens) }),
    );
  };
}
