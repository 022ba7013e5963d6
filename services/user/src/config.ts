import {
  busVariables,
  type ConfigRule,
  databaseUrl,
  metricsOfWorkers,
  flag,
  inProduction,
  internalTokenVariable,
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
import { z } from "zod";

const variables = {
  ...processVariables,
  ...telemetryVariables,
  ...workerVariables,
  USER_PORT: port(8002),
  USER_DATABASE_URL: databaseUrl(),
  ...poolVariables,
  ...busVariables,
  ...tokenVariables,
  ...internalTokenVariable,
  ...introspectionTokenVariable,
  AUTH_URL: urls("http:", "https:"),
  SECURE_COOKIES: z.union([z.undefined(), flag(true)]),
};

type Variables = z.output<z.ZodObject<typeof variables>>;

const secureCookiesInProduction: ConfigRule<Variables> = inProduction(function* (values) {
  if (values.SECURE_COOKIES === false) yield { name: "SECURE_COOKIES", message: "must not be false in production" };
});

export type UserConfig = ReturnType<typeof readConfig>;

/**
 * Returns the user service's configuration, validated and frozen.
 * @throws ConfigError with every invalid variable
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env) {
  const values = readEnvironment(variables, environment, [
    noDebugInProduction,
    metricsOfWorkers,
    strongSecretsInProduction<Variables>("INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN"),
    secureCookiesInProduction,
  ]);
  return Object.freeze({
    environment: values.ENVIRONMENT,
    telemetry: telemetrySettings(values),
    workers: workerSettings(values),
    debug: values.DEBUG,
    logLevel: values.DEBUG ? ("debug" as const) : values.LOG_LEVEL,
    host: values.HOST ?? (values.ENVIRONMENT === "development" ? "127.0.0.1" : "0.0.0.0"),
    port: values.USER_PORT,
    database: {
      url: values.USER_DATABASE_URL,
      poolSize: values.DB_POOL_SIZE,
      maxOverflow: values.DB_MAX_OVERFLOW,
      timeoutSeconds: values.DB_POOL_TIMEOUT,
      recycleSeconds: values.DB_POOL_RECYCLE,
    },
    bus: { url: values.NATS_URL, replicas: values.NATS_STREAM_REPLICAS },
    tokens: {
      issuer: values.JWT_ISSUER,
      audience: values.JWT_AUDIENCE,
      lifetimeSeconds: values.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
      maxStalenessSeconds: values.REVOCATION_MAX_STALENESS_SECONDS,
    },
    authUrls: values.AUTH_URL,
    // Auth accepts every token of its list, so tokens can be rotated; this service sends the first.
    internalToken: values.INTERNAL_API_TOKEN[0] as string,
    introspectionToken: values.INTROSPECTION_TOKEN[0] as string,
    secureCookies: values.SECURE_COOKIES ?? values.ENVIRONMENT === "production",
  });
}
