import { setTimeout as pause } from "node:timers/promises";
import { diag, DiagLogLevel } from "@opentelemetry/api";
import { setGlobalErrorHandler } from "@opentelemetry/core";
import { RuntimeNodeInstrumentation } from "@opentelemetry/instrumentation-runtime-node";
import { resourceAttributesEnvDetector, serviceInstanceIdDetector } from "@opentelemetry/resources";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { Logger } from "../logger.ts";
import { createComplaints } from "./export-faults.ts";
import type { Telemetry, TelemetrySettings } from "./start-telemetry.ts";

const CLOSE_TIMEOUT_MS = 2_000;

/**
 * OpenTelemetry's SDK, which reads its own variables: where to, how often, which sampler. Of what it finds out about a process only what
 * tells replicas apart is sent; command line and host stay here. What travels on the wire is written by context.ts, so it gets no propagator.
 */
export function startSdk(service: string, { traces, metrics, logs }: TelemetrySettings, logger: Logger): Telemetry {
  const complaints = createComplaints(logger);
  const sdk = new NodeSDK({
    serviceName: service,
    resourceDetectors: [resourceAttributesEnvDetector, serviceInstanceIdDetector],
    textMapPropagator: null,
    instrumentations: metrics ? [new RuntimeNodeInstrumentation()] : [],
    ...(!traces && { spanProcessors: [] }),
    ...(!metrics && { metricReaders: [] }),
    ...(!logs && { logRecordProcessors: [] }),
  });
  diag.setLogger(complaints.diagLogger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  setGlobalErrorHandler(complaints.exportFailed);
  sdk.start();
  return {
    async close() {
      // What went wrong is in the log already, and a collector that is away must not delay the end.
      await Promise.race([sdk.shutdown().catch(() => undefined), pause(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
