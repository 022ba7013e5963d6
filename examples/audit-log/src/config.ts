import {
  busVariables,
  databaseUrl,
  metricsOfWorkers,
  introspectionTokenVariable,
  noDebugInProduction,
  poolVariables,
  port,
  processVariables,
  readEnvironment,
  strongSecretsInProduction,
  telemetrySettings,
  telemetryVariables,
  tokenVariables,
  urls,
  workerSettings,
  workerVariables,
} from "@gatehouse/config";
import type { z } from "zod";

const variables = {
  ...processVariables,
  ...telemetryVariables,
  ...workerVariables,
  AUDIT_PORT: port(8003),
  AUDIT_DATABASE_URL: databaseUrl(),
  ...poolVariables,
  NATS_URL: busVariables.NATS_URL,
  ...tokenVariables,
  ...introspectionTokenVariable,
  AUTH_URL: urls("http:", "https:"),
};

type Variables = z.output<z.ZodObject<typeof variables>>;

export type AuditConfig = ReturnType<typeof readConfig>;

/**
 * The audit log's configuration, checked and frozen.
 * @throws ConfigError naming every wrong variable
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env) {
  const values = readEnvironment(variables, environment, [
    noDebugInProduction,
    metricsOfWorkers,
    strongSecretsInProduction<Variables>("INTROSPECTION_TOKEN"),
  ]);
  return Object.freeze({
    environment: values.ENVIRONMENT,
    debug: values.DEBUG,
    logLevel: values.DEBUG ? ("debug" as const) : values.LOG_LEVEL,
    telemetry: telemetrySettings(values),
    workers: workerSettings(values),
    host: values.HOST ?? (values.ENVIRONMENT === "development" ? "127.0.0.1" : "0.0.0.0"),
    port: values.AUDIT_PORT,
    database: {
      url: values.AUDIT_DATABASE_URL,
      poolSize: values.DB_POOL_SIZE,
      maxOverflow: values.DB_MAX_OVERFLOW,
      timeoutSeconds: values.DB_POOL_TIMEOUT,
      recycleSeconds: values.DB_POOL_RECYCLE,
    },
    natsUrl: values.NATS_URL,
    verifier: {
      authUrls: values.AUTH_URL,
      // The first of a list is used, all are accepted by auth, so that they can be rotated.
      introspectionToken: values.INTROSPECTION_TOKEN[0] as string,
      issuer: values.JWT_ISSUER,
      audience: values.JWT_AUDIENCE,
      lifetimeSeconds: values.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
      maxStalenessSeconds: values.REVOCATION_MAX_STALENESS_SECONDS,
    },
  });
}
