import { metrics, trace } from "@opentelemetry/api";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

export type RecordedTelemetry = ReturnType<typeof recordTelemetry>;

class OnDemandReader extends MetricReader {
  protected override onForceFlush = async () => {};
  protected override onShutdown = async () => {};
}

/** Records a test file's telemetry in memory. Call it before the tested code makes its instruments. */
export function recordTelemetry({ sampled = true }: { sampled?: boolean } = {}) {
  const exporter = new InMemorySpanExporter();
  const sampler = sampled ? new AlwaysOnSampler() : new AlwaysOffSampler();
  const tracers = new TracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const reader = new OnDemandReader();
  const meters = new MeterProvider({ readers: [reader] });
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
  return {
    /** Returns the spans that ended since the start or the last `clear`. */
    spans: () => exporter.getFinishedSpans(),
    /** Returns the current points of one metric; the value of a histogram is `{count, sum, …}`. */
    async points(name: string): Promise<{ attributes: Readonly<Record<string, unknown>>; value: unknown }[]> {
      const { resourceMetrics } = await reader.collect();
      const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      return all
        .filter((metric) => metric.descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes, value })));
    },
    /** Removes the recorded spans. */
    clear: () => exporter.reset(),
    async stop() {
      trace.disable();
      metrics.disable();
      await Promise.all([tracers.shutdown(), meters.shutdown()]);
    },
  };
}
