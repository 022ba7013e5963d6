import { expect } from "vitest";

const SERVICES = new URL("../../services/", import.meta.url);

/** What OpenTelemetry's SDK reads by itself; tests/e2e/telemetry.test.ts shows that it does. */
const READ_BY_SDK = ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES"];

/** The variables that a service's config.ts asks its environment for. */
export async function readBy(service: string): Promise<string[]> {
  const names: string[] = [];
  const environment = new Proxy<NodeJS.ProcessEnv>(
    {},
    { get: (_target, name) => (typeof name === "string" ? void names.push(name) : undefined) },
  );
  // By path: a service does not export its configuration.
  const { readConfig } = (await import(new URL(`${service}/src/config.ts`, SERVICES).href)) as {
    readConfig(environment: NodeJS.ProcessEnv): unknown;
  };
  expect(() => readConfig(environment)).toThrow("The configuration is not valid");
  return [...new Set([...names, ...READ_BY_SDK])];
}
