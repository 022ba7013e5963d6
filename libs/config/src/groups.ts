import { z } from "zod";
import { busUrl, choice, flag, integer, networks, secrets, url } from "./variables.ts";

/** What every process reads; each adds its own port. HOST defaults to loopback in development, to every interface elsewhere. */
export const processVariables = {
  ENVIRONMENT: choice(["development", "production", "test"], "development"),
  DEBUG: flag(false),
  HOST: z.string().optional(),
  LOG_LEVEL: choice(["fatal", "error", "warn", "info", "debug", "trace", "silent"], "info"),
};

/** A service's connection pool; the URL's variable has its own name in each service. */
export const poolVariables = {
  DB_POOL_SIZE: integer({ min: 1, max: 1000, fallback: 10 }),
  DB_MAX_OVERFLOW: integer({ min: 0, max: 1000, fallback: 20 }),
  DB_POOL_TIMEOUT: integer({ min: 1, max: 600, fallback: 30 }),
  DB_POOL_RECYCLE: integer({ min: 1, max: 86_400, fallback: 3600 }),
};

export const databaseUrl = () => url("postgres:", "postgresql:");

export const busVariables = {
  NATS_URL: busUrl(),
  NATS_STREAM_REPLICAS: integer({ min: 1, max: 5, fallback: 1 }),
};

/** What a verifier of access tokens must know; REVOCATION_MAX_STALENESS_SECONDS in seconds. */
export const tokenVariables = {
  JWT_ISSUER: z.string().default("gatehouse"),
  JWT_AUDIENCE: z.string().default("gatehouse"),
  ACCESS_TOKEN_EXPIRE_MINUTES: integer({ min: 1, max: 60, fallback: 15 }),
  REVOCATION_MAX_STALENESS_SECONDS: integer({ min: 2, max: 300, fallback: 5 }),
};

export const internalTokenVariable = { INTERNAL_API_TOKEN: secrets() };
export const introspectionTokenVariable = { INTROSPECTION_TOKEN: secrets() };
export const trustedProxiesVariable = { TRUSTED_PROXIES: networks() };

/** OpenTelemetry's own names. OTEL_METRIC_EXPORT_INTERVAL in milliseconds. */
export const telemetryVariables = {
  OTEL_SDK_DISABLED: flag(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: url("http:", "https:").optional(),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url("http:", "https:").optional(),
  OTEL_METRIC_EXPORT_INTERVAL: integer({ min: 100, max: 3_600_000, fallback: 60_000 }),
};

/**
 * What telemetry goes where, by OpenTelemetry's rules: an endpoint for one signal is used as it is, the common one gets the
 * signal's path behind it.
 */
export function telemetrySettings(values: z.output<z.ZodObject<typeof telemetryVariables>>) {
  const common = values.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/*$/, "/v1/metrics");
  const metricsUrl = values.OTEL_SDK_DISABLED ? undefined : (values.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT ?? common);
  return {
    metrics: metricsUrl === undefined ? undefined : { url: metricsUrl, intervalMs: values.OTEL_METRIC_EXPORT_INTERVAL },
  };
}
