import type { Releasers } from "@gatehouse/http/process";
import { createServiceKit } from "@gatehouse/service-kit";
import { createUpstream } from "@gatehouse/upstream";
import type { GatewayDeps } from "./app.ts";
import type { Config } from "./config.ts";
import type { Upstreams } from "./routes/proxy.route.ts";
import { UPSTREAM_SERVICES } from "./routes/route-table.generated.ts";
import { ROUTE_TABLE } from "./routes/route-table.ts";
import { createHealthService } from "./services/health.service.ts";
import { createOpenApiService } from "./services/documents/openapi.service.ts";
import { createRateLimits } from "./services/limits/rate-limits.ts";
import { connectRedis } from "./services/limits/redis.ts";

/** Wires the gateway. It starts while auth, user, NATS or Redis are down, and works as far as it can without them. */
export async function createDependencies(config: Config, releasers: Releasers): Promise<GatewayDeps> {
  const kit = await createServiceKit({ name: "gatehouse-gateway", config, releasers });
  const { logger } = kit;

  const upstreams = createUpstreams(config.upstreamUrls);
  for (const [name, upstream] of Object.entries(upstreams)) kit.release(`upstream ${name}`, () => upstream.close());

  const redis = config.redisUrl === undefined ? undefined : connectRedis({ url: config.redisUrl, logger });
  if (redis) kit.release("redis", () => redis.close());
  if (config.rates && !redis) logger.warn("Redis is not configured, counting rate limits in memory");
  kit.addCheck("redis", () => (redis?.isReady() ? "healthy" : "degraded"));

  const bus = kit.openBus(config.natsUrl);
  const verifier = kit.openVerifier({ bus, ...config.verifier });

  return {
    logger,
    verify: verifier.verify,
    readiness: kit.readiness,
    upstreams,
    health: createHealthService({
      upstreams,
      isRedisReady: () => redis?.isReady() ?? false,
      isBusConnected: () => bus.isConnected(),
    }),
    openapi: config.environment === "production" ? null : createOpenApiService({ routes: ROUTE_TABLE, upstreams }),
    limits: config.rates && createRateLimits({ rates: config.rates, redis }),
    allowedHosts: config.allowedHosts,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
  };
}

function createUpstreams(urls: Config["upstreamUrls"]): Upstreams {
  const upstreams = UPSTREAM_SERVICES.map((service) => [service, createUpstream({ urls: urls[service] })] as const);
  return Object.fromEntries(upstreams) as Upstreams;
}
