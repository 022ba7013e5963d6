import type { Logger } from "../logger.ts";
import type { Telemetry, TelemetrySettings } from "./sdk.ts";

export interface TelemetryDeps {
  /** The resource's `service.name`, for example `gatehouse-auth`. */
  readonly service: string;
  readonly settings: TelemetrySettings;
  readonly logger: Logger;
}

/**
 * Starts OpenTelemetry's SDK when a signal is enabled; otherwise does not load it. Await it before creating instruments: those created
 * earlier have no effect. All other code uses `@opentelemetry/api` only.
 */
export async function startTelemetry({ service, settings, logger }: TelemetryDeps): Promise<Telemetry> {
  if (!settings.traces && !settings.metrics && !settings.logs) return { close: async () => {} };
  const { startSdk } = await import("./sdk.ts");
  return startSdk(service, settings, logger);
}
