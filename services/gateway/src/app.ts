import type { VerifyBearer } from "@gatehouse/access";
import { type App, type CheckReadiness, createApp } from "@gatehouse/http";
import type { Logger } from "@gatehouse/observability";
import { allowedHosts } from "./plugins/allowed-hosts.plugin.ts";
import { crossOrigin } from "./plugins/cross-origin.plugin.ts";
import { identity } from "./plugins/identity.plugin.ts";
import { rateLimit } from "./plugins/rate-limit.plugin.ts";
import { securityHeaders } from "./plugins/security-headers.plugin.ts";
import { docsRoutes } from "./routes/docs.route.ts";
import { healthRoutes } from "./routes/health.route.ts";
import { proxyRoutes, type Upstreams } from "./routes/proxy.route.ts";
import type { HealthService } from "./services/health.service.ts";
import type { OpenApiService } from "./services/documents/openapi.service.ts";
import type { RateLimits } from "./services/limits/rate-limits.ts";

export interface GatewayDeps {
  readonly logger: Logger;
  readonly verify: VerifyBearer;
  readonly readiness: CheckReadiness;
  readonly upstreams: Upstreams;
  readonly health: HealthService;
  /** null: not served, in production. */
  readonly openapi: OpenApiService | null;
  /** null: no limits. */
  readonly limits: RateLimits | null;
  readonly allowedHosts: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
}

/**
 * Builds the gateway's app, which does not listen yet. Plugins run in this order: host, origin, identity, rate limits; then
 * the route checks the access.
 */
export async function buildApp(deps: GatewayDeps): Promise<App> {
  const app = createApp({
    logger: deps.logger,
    readiness: deps.readiness,
    trustProxy: [...deps.trustedProxies],
    openapi: false,
  });
  await app.register(securityHeaders);
  await app.register(allowedHosts, { hosts: deps.allowedHosts });
  await app.register(crossOrigin, { origins: deps.corsOrigins });
  await app.register(identity, { verify: deps.verify });
  if (deps.limits) await app.register(rateLimit, { limits: deps.limits });
  await app.register(healthRoutes({ health: deps.health }));
  if (deps.openapi) await app.register(docsRoutes({ openapi: deps.openapi }));
  await app.register(proxyRoutes({ upstreams: deps.upstreams }));
  return app;
}
