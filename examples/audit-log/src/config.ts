import {
  busVariables,
  databaseSettings,
  databaseUrl,
  metricsOfWorkers,
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
 * Returns the audit log's validated and frozen configuration.
 * @throws ConfigError with every invalid variable
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env) {
  const values = readEnvironment(variables, environment, [
    noDebugInProduction,
    metricsOfWorkers,
    strongSecretsInProduction<Variables>("INTROSPECTION_TOKEN"),
  ]);
  return Object.freeze({
    ...processSettings(values),
    port: values.AUDIT_PORT,
    database: databaseSettings(values, values.AUDIT_DATABASE_URL),
    natsUrl: values.NATS_URL,
    verifier: verifierSettings(values, values.INTROSPECTION_TOKEN, values.AUTH_URL),
  });
}
