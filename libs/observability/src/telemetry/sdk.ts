import { setTimeout as pause } from "node:timers/promises";
import { diag, DiagLogLevel } from "@opentelemetry/api";
import { setGlobalErrorHandler } from "@opentelemetry/core";
import { RuntimeNodeInstrumentation } from "@opentelemetry/instrumentation-runtime-node";
import { resourceAttributesEnvDetector, serviceInstanceIdDetector } from "@opentelemetry/resources";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { Logger } from "../logger.ts";
import { createExportFaults } from "./export-faults.ts";

const CLOSE_TIMEOUT_MS = 2_000;

/** The signals to export; the SDK reads the destination from its own variables. */
export interface TelemetrySettings {
  readonly traces: boolean;
  readonly metrics: boolean;
  readonly logs: boolean;
}

export interface Telemetry {
  /** Exports the last records for at most two seconds. Never rejects. */
  close(): Promise<void>;
}

/**
 * Starts OpenTelemetry's SDK, which reads its own variables for endpoint, interval and sampler. The resource contains only attributes that
 * distinguish replicas, not the command line or host. context.ts writes the headers, so the SDK has no propagator.
 */
export function startSdk(service: string, { traces, metrics, logs }: TelemetrySettings, logger: Logger): Telemetry {
  const faults = createExportFaults({ logger });
  const sdk = new NodeSDK({
    serviceName: service,
    resourceDetectors: [resourceAttributesEnvDetector, serviceInstanceIdDetector],
    textMapPropagator: null,
    instrumentations: metrics ? [new RuntimeNodeInstrumentation()] : [],
    ...(!traces && { spanProcessors: [] }),
    ...(!metrics && { metricReaders: [] }),
    ...(!logs && { logRecordProcessors: [] }),
  });
  diag.setLogger(faults.diagLogger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  setGlobalErrorHandler(faults.exportFailed);
  sdk.start();
  return {
    async close() {
      // Faults are logged already, and an unavailable collector must not delay the exit.
      await Promise.race([sdk.shutdown().catch(() => undefined), pause(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
