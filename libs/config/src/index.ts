export { ConfigError, type ConfigProblem, type ConfigRule, readEnvironment } from "./environment.ts";
export {
  busVariables,
  databaseUrl,
  internalTokenVariable,
  introspectionTokenVariable,
  poolVariables,
  processVariables,
  telemetrySettings,
  telemetryVariables,
  tokenVariables,
  trustedProxiesVariable,
} from "./groups.ts";
export { inProduction, isExample, noDebugInProduction, strongSecretsInProduction } from "./production.ts";
export { choice, flag, integer, list, port, secrets, text, url, urls } from "./variables.ts";
export { metricsOfWorkers, workerSettings, type WorkerSettings, workerVariables } from "./workers.ts";
