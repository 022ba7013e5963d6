import type { z } from "zod";
import {
  type poolVariables,
  type processVariables,
  telemetrySettings,
  type telemetryVariables,
  type tokenVariables,
} from "./groups.ts";
import { workerSettings, type workerVariables } from "./workers.ts";

type ValuesOf<S extends z.ZodRawShape> = z.output<z.ZodObject<S>>;

/** Returns the settings that every process has. DEBUG sets the log level to debug unless LOG_LEVEL sets another; HOST defaults to loopback in development. */
export function processSettings(
  values: ValuesOf<typeof processVariables & typeof telemetryVariables & typeof workerVariables>,
) {
  return {
    environment: values.ENVIRONMENT,
    debug: values.DEBUG,
    logLevel: values.DEBUG && values.LOG_LEVEL === "info" ? ("debug" as const) : values.LOG_LEVEL,
    telemetry: telemetrySettings(values),
    workers: workerSettings(values),
    host: values.HOST ?? (values.ENVIRONMENT === "development" ? "127.0.0.1" : "0.0.0.0"),
  };
}

/** Returns the settings of a service's connection pool. */
export function databaseSettings(values: ValuesOf<typeof poolVariables>, url: string) {
  return {
    url,
    poolSize: values.DB_POOL_SIZE,
    maxOverflow: values.DB_MAX_OVERFLOW,
    timeoutSeconds: values.DB_POOL_TIMEOUT,
    recycleSeconds: values.DB_POOL_RECYCLE,
  };
}

/** Returns the settings of a verifier of access tokens. `tokens` and `urls` are lists as read: the first token is sent. */
export function verifierSettings(
  values: ValuesOf<typeof tokenVariables>,
  tokens: readonly string[],
  urls: readonly string[],
) {
  return {
    authUrls: urls,
    // auth accepts every token of its list, so that they can be rotated; a caller sends the first.
    introspectionToken: tokens[0] as string,
    issuer: values.JWT_ISSUER,
    audience: values.JWT_AUDIENCE,
    lifetimeSeconds: values.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
    maxStalenessSeconds: values.REVOCATION_MAX_STALENESS_SECONDS,
  };
}
