import type { Logger } from "../logger.ts";

export interface MetricsSettings {
  /** Where they go: an OTLP receiver's address for metrics, `http://collector:4318/v1/metrics`. */
  readonly url: string;
  /** Milliseconds from one export to the next. */
  readonly intervalMs: number;
}

export interface TelemetrySettings {
  /** undefined: nobody wants any, and nothing of the SDK is loaded. */
  readonly metrics: MetricsSettings | undefined;
}

export interface TelemetryOptions {
  /** The resource's `service.name`, as in the log: `gatehouse-auth`. */
  readonly service: string;
  readonly settings: TelemetrySettings;
  readonly logger: Logger;
}

export interface Telemetry {
  /** Sends what was measured last, as far as that goes within two seconds. Never rejects. */
  close(): Promise<void>;
}

/**
 * Starts OpenTelemetry's SDK where it is configured. To be awaited before anything that measures is built: an instrument
 * that was made earlier stays without effect. The rest of the code knows `@opentelemetry/api` only.
 */
export async function startTelemetry({ service, settings, logger }: TelemetryOptions): Promise<Telemetry> {
  if (settings.metrics === undefined) return { close: async () => {} };
  const { startMetrics } = await import("./metrics-sdk.ts");
  return startMetrics(service, settings.metrics, logger);
}
