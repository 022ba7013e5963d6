import { metrics } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { Logger } from "../logger.ts";
import type { MetricsSettings, Telemetry } from "./start-telemetry.ts";

const CLOSE_TIMEOUT_MS = 2_000;

/** The name goes over what the environment says; the instance tells replicas apart. */
function resourceOf(service: string) {
  return defaultResource()
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceInstanceIdDetector] }))
    .merge(resourceFromAttributes({ "service.name": service }));
}

/** A collector that is away is a line in the log when that begins, and one when it ends. */
class ReportingExporter extends OTLPMetricExporter {
  readonly #logger: Logger;
  #failing = false;

  constructor(url: string, logger: Logger) {
    super({ url });
    this.#logger = logger;
  }

  override export(...[batch, done]: Parameters<OTLPMetricExporter["export"]>): void {
    super.export(batch, (result) => {
      this.#report(result.error);
      done(result);
    });
  }

  #report(error: Error | undefined): void {
    if (error && !this.#failing) this.#logger.warn({ err: error }, "the export of metrics fails, trying on");
    if (!error && this.#failing) this.#logger.info("the export of metrics works again");
    this.#failing = error !== undefined;
  }
}

/**
 * Makes `metrics` of the API work for this process. The exporter reads what OpenTelemetry defines beside the address, such as
 * OTEL_EXPORTER_OTLP_HEADERS, from the environment itself.
 */
export function startMetrics(service: string, { url, intervalMs }: MetricsSettings, logger: Logger): Telemetry {
  const exporter = new ReportingExporter(url, logger);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: intervalMs });
  const provider = new MeterProvider({ resource: resourceOf(service), readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  return {
    async close() {
      metrics.disable();
      // What went wrong is in the log already, and a collector that is away must not delay the end.
      await provider.shutdown({ timeoutMillis: CLOSE_TIMEOUT_MS }).catch(() => undefined);
    },
  };
}
