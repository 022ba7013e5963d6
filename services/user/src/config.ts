import {
  busVariables,
  type ConfigRule,
  databaseSettings,
  databaseUrl,
  metricsOfWorkers,
  flag,
  inProduction,
  internalTokenVariable,
  introspectionTokenVariable,
  noDebugInProduction,
  poolVariables,
  port,
  processSettings,
  processVariables,
  readEnvironment,
  strongSecretsInProduction,
  telemetryVariables,
  tokenVariables,
  urls,
  verifierSettings,
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
    ...processSettings(values),
    port: values.USER_PORT,
    database: databaseSettings(values, values.USER_DATABASE_URL),
    bus: { url: values.NATS_URL, replicas: values.NATS_STREAM_REPLICAS },
    verifier: verifierSettings(values, values.INTROSPECTION_TOKEN, values.AUTH_URL),
    authUrls: values.AUTH_URL,
    // Auth accepts every token of its list, so tokens can be rotated; this service sends the first.
    internalToken: values.INTERNAL_API_TOKEN[0] as string,
    secureCookies: values.SECURE_COOKIES ?? values.ENVIRONMENT === "production",
  });
}
