import { metrics, trace } from "@opentelemetry/api";
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";

export interface MeasuredPoint {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** A number, or a histogram's `{count, sum, …}`. */
  readonly value: unknown;
}

export interface RecordedTelemetry {
  /** What has ended since the start or the last `clear`. */
  spans(): ReadableSpan[];
  /** The points of one metric as of now; none when nothing was measured. */
  points(metric: string): Promise<MeasuredPoint[]>;
  /** Forgets the spans. */
  clear(): void;
  stop(): Promise<void>;
}

class OnDemandReader extends MetricReader {
  protected override onForceFlush = async () => {};
  protected override onShutdown = async () => {};
}

/**
 * OpenTelemetry's SDK for one test file, which keeps everything in memory instead of sending it. To be called before what is tested makes
 * its instruments.
 */
export function recordTelemetry({ sampled = true }: { sampled?: boolean } = {}): RecordedTelemetry {
  const exporter = new InMemorySpanExporter();
  const sampler = sampled ? new AlwaysOnSampler() : new AlwaysOffSampler();
  const tracers = new TracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const reader = new OnDemandReader();
  const meters = new MeterProvider({ readers: [reader] });
  trace.setGlobalTracerProvider(tracers);
  metrics.setGlobalMeterProvider(meters);
  return {
    spans: () => exporter.getFinishedSpans(),
    async points(name) {
      const { resourceMetrics } = await reader.collect();
      const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
      return all
        .filter((metric) => metric.descriptor.name === name)
        .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes, value })));
    },
    clear: () => exporter.reset(),
    async stop() {
      trace.disable();
      metrics.disable();
      await Promise.all([tracers.shutdown(), meters.shutdown()]);
    },
  };
}
