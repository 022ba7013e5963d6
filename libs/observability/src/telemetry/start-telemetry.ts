import type { Logger } from "../logger.ts";

/** Which signals are wanted; where they go is for the SDK to read. */
export interface TelemetrySettings {
  readonly traces: boolean;
  readonly metrics: boolean;
  readonly logs: boolean;
}

export interface TelemetryOptions {
  /** The resource's `service.name`, as in the log: `gatehouse-auth`. */
  readonly service: string;
  readonly settings: TelemetrySettings;
  readonly logger: Logger;
}

export interface Telemetry {
  /** Sends what was recorded last, as far as that goes within two seconds. Never rejects. */
  close(): Promise<void>;
}

/**
 * Starts OpenTelemetry's SDK where it is configured; where nothing is wanted, nothing of it is loaded. To be awaited before anything that
 * measures is built: an instrument that was made earlier stays without effect. The rest of the code knows `@opentelemetry/api` only.
 */
export async function startTelemetry({ service, settings, logger }: TelemetryOptions): Promise<Telemetry> {
  if (!settings.traces && !settings.metrics && !settings.logs) return { close: async () => {} };
  const { startSdk } = await import("./sdk.ts");
  return startSdk(service, settings, logger);
}
