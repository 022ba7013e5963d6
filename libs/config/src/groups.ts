import { z } from "zod";
import { busUrl, choice, exporters, flag, integer, networks, ratio, secrets, url } from "./variables.ts";

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

/**
 * OpenTelemetry's own names, as far as they decide what is sent at all or are easily mistyped; the SDK reads these and the others by
 * itself. OTEL_METRIC_EXPORT_INTERVAL in milliseconds.
 */
export const telemetryVariables = {
  OTEL_SDK_DISABLED: flag(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: url("http:", "https:").optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url("http:", "https:").optional(),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: url("http:", "https:").optional(),
  OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: url("http:", "https:").optional(),
  OTEL_TRACES_EXPORTER: exporters("otlp", "console", "zipkin"),
  OTEL_METRICS_EXPORTER: exporters("otlp", "console", "prometheus"),
  OTEL_LOGS_EXPORTER: exporters("otlp", "console"),
  OTEL_TRACES_SAMPLER: choice(
    [
      "parentbased_always_on",
      "parentbased_always_off",
      "parentbased_traceidratio",
      "always_on",
      "always_off",
      "traceidratio",
    ],
    "parentbased_always_on",
  ),
  OTEL_TRACES_SAMPLER_ARG: ratio(),
  OTEL_METRIC_EXPORT_INTERVAL: integer({ min: 100, max: 3_600_000, fallback: 60_000 }),
};

/**
 * Returns which signals the process exports. It exports traces and metrics once an endpoint, or an exporter without endpoint, is set.
 * The OpenTelemetry default is localhost; here no variables mean no telemetry. Logs always go to standard output. Only
 * OTEL_LOGS_EXPORTER exports them too: a collector of both would otherwise receive each line twice.
 */
export function telemetrySettings(values: z.output<z.ZodObject<typeof telemetryVariables>>) {
  const wanted = (exporter: readonly string[], endpoint: string | undefined, isDefault: boolean): boolean => {
    if (values.OTEL_SDK_DISABLED || exporter.includes("none")) return false;
    if (exporter.some((name) => name !== "otlp")) return true;
    return (isDefault || exporter.length > 0) && (endpoint ?? values.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined;
  };
  return {
    traces: wanted(values.OTEL_TRACES_EXPORTER, values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, true),
    metrics: wanted(values.OTEL_METRICS_EXPORTER, values.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, true),
    logs: wanted(values.OTEL_LOGS_EXPORTER, values.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, false),
  };
}
