import { connectVerifier } from "@gatehouse/access";
import type { Releasers } from "@gatehouse/http/process";
import { connectBus } from "@gatehouse/messaging";
import { createLogger, startTelemetry } from "@gatehouse/observability";
import type { GatewayDependencies } from "./app.ts";
import type { Config } from "./config.ts";
import { ROUTE_TABLE } from "./routes/route-table.ts";
import { createHealthService } from "./services/health.service.ts";
import { createOpenApiService } from "./services/documents/openapi.service.ts";
import { createRateLimits } from "./services/limits/rate-limits.ts";
import { connectRedis } from "./services/limits/redis.ts";
import { createUpstream } from "./services/forwarding/upstream.ts";

/**
 * Everything the gateway consists of, wired by hand. Nothing here waits for a neighbour: the process starts while
 * auth, user, NATS or Redis are away, and works as far as it can without them.
 */
export async function createDependencies(config: Config, releasers: Releasers): Promise<GatewayDependencies> {
  const logger = createLogger({
    service: "gatehouse-gateway",
    level: config.logLevel,
    pretty: config.environment === "development",
    exported: config.telemetry.logs,
  });
  const telemetry = await startTelemetry({ service: "gatehouse-gateway", settings: config.telemetry, logger });
  releasers.add("telemetry", () => telemetry.close());

  const upstreams = { auth: createUpstream(config.authUrls), user: createUpstream(config.userUrls) };
  releasers.add("upstream auth", () => upstreams.auth.close());
  releasers.add("upstream user", () => upstreams.user.close());

  const redis = config.redisUrl === undefined ? undefined : connectRedis(config.redisUrl, logger);
  if (redis) releasers.add("redis", () => redis.close());
  if (config.rates && !redis) logger.warn("There is no Redis: rate limits count in the memory of each gateway");

  const bus = connectBus({ url: config.natsUrl, name: "gatehouse-gateway", logger });
  releasers.add("bus", () => bus.close());

  const verifier = connectVerifier({
    bus,
    authUrls: config.authUrls,
    introspectionToken: config.introspectionToken,
    issuer: config.issuer,
    audience: config.audience,
    lifetimeSeconds: config.accessTokenSeconds,
    maxStalenessSeconds: config.revocationMaxStalenessSeconds,
    logger,
  });
  releasers.add("verifier", () => verifier.close());

  return {
    logger,
    verify: verifier.verify,
    readiness: async () => ({
      status: (await verifier.ready()) ? "ready" : "unready",
      checks: {
        nats: bus.isConnected() ? "healthy" : "unhealthy",
        redis: redis?.isReady() ? "healthy" : "degraded",
      },
    }),
    upstreams,
    health: createHealthService({
      ...upstreams,
      isRedisReady: () => redis?.isReady() ?? false,
      isBusConnected: () => bus.isConnected(),
    }),
    openapi: config.environment === "production" ? null : createOpenApiService(ROUTE_TABLE, upstreams),
    limits: config.rates && createRateLimits(config.rates, redis),
    allowedHosts: config.allowedHosts,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
  };
}
