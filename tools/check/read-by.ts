import { fileURLToPath } from "node:url";

const SERVICES = fileURLToPath(new URL("../../services/", import.meta.url));

/** What OpenTelemetry's SDK reads by itself; tests/e2e/telemetry.test.ts shows that it does. */
const READ_BY_SDK = ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES"];

interface ServiceConfig {
  readConfig(environment: NodeJS.ProcessEnv): unknown;
}

/** A service's config.ts. By path: a service does not export its configuration. */
async function configOf(service: string): Promise<ServiceConfig> {
  return (await import(`${SERVICES}${service}/src/config.ts`)) as ServiceConfig;
}

/** The variables that a service asks its environment for. */
export async function readBy(service: string): Promise<string[]> {
  const names: string[] = [];
  const environment = new Proxy<NodeJS.ProcessEnv>(
    {},
    { get: (_target, name) => (typeof name === "string" ? void names.push(name) : undefined) },
  );
  const { readConfig } = await configOf(service);
  try {
    readConfig(environment);
  } catch {
    // Some are required, and nothing is there.
  }
  return [...new Set([...names, ...READ_BY_SDK])];
}

/** Why a service would not start with this environment; undefined when it would. */
export async function whyRefused(service: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { readConfig } = await configOf(service);
  try {
    readConfig(environment);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
