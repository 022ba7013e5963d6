export { ConfigError, type ConfigProblem, type ConfigRule, readEnvironment } from "./environment.ts";
export {
  busVariables,
  databaseUrl,
  internalTokenVariable,
  introspectionTokenVariable,
  poolVariables,
  processVariables,
  telemetryVariables,
  tokenVariables,
  trustedProxiesVariable,
} from "./groups.ts";
export { inProduction, isExample, noDebugInProduction, strongSecretsInProduction } from "./production.ts";
export { databaseSettings, processSettings, verifierSettings } from "./settings.ts";
export { choice, flag, integer, list, port, secrets, text, url, urls } from "./variables.ts";
export { metricsOfWorkers, type WorkerSettings, workerVariables } from "./workers.ts";
