/** Lists arrive as their JSON. */
type Attributes = Readonly<Record<string, string | number | boolean>>;

/** One value of one series. */
export interface ReceivedPoint {
  /** The attributes of the sending process. */
  readonly resource: Attributes;
  readonly metric: string;
  readonly kind: "sum" | "gauge" | "histogram";
  /** For a sum: true for a counter. */
  readonly isMonotonic?: boolean;
  readonly unit: string;
  readonly attributes: Attributes;
  /** For a histogram the count of measurements. */
  readonly value: number;
  /** For a histogram only. */
  readonly sum?: number;
  /** For a histogram: the upper ends of its buckets without the last. */
  readonly bounds?: readonly number[];
}

const SPAN_KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] as const;
export type SpanKindName = (typeof SPAN_KINDS)[number];

interface SpanId {
  readonly traceId: string;
  readonly spanId: string;
}

export interface ReceivedSpan extends SpanId {
  readonly resource: Attributes;
  /** Undefined for a root. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKindName;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly attributes: Attributes;
  readonly links: readonly SpanId[];
  readonly failed: boolean;
}

export interface ReceivedLog {
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly resource: Attributes;
  readonly severity: string;
  readonly body: string;
  readonly attributes: Attributes;
}

export interface Received {
  points: ReceivedPoint[];
  spans: ReceivedSpan[];
  logs: ReceivedLog[];
}

interface Value {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly Value[] };
}

interface Attributed {
  readonly attributes?: readonly { readonly key: string; readonly value: Value }[];
}

interface Point extends Attributed {
  readonly asInt?: number | string;
  readonly asDouble?: number;
  readonly count?: number | string;
  readonly sum?: number;
  readonly explicitBounds?: readonly number[];
}

type Metric = { readonly name: string; readonly unit: string } & {
  readonly [K in ReceivedPoint["kind"]]?: { readonly dataPoints: readonly Point[]; readonly isMonotonic?: boolean };
};

interface Span extends Attributed, SpanId {
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly links?: readonly SpanId[];
  readonly status?: { readonly code?: number };
}

interface LogRecord extends Attributed, Partial<SpanId> {
  readonly severityText?: string;
  readonly body?: Value;
}

type Scopes<S extends string, I extends string, T> = { readonly resource: Attributed } & {
  readonly [K in S]: readonly { readonly [L in I]: readonly T[] }[];
};

interface Export {
  readonly resourceMetrics?: readonly Scopes<"scopeMetrics", "metrics", Metric>[];
  readonly resourceSpans?: readonly Scopes<"scopeSpans", "spans", Span>[];
  readonly resourceLogs?: readonly Scopes<"scopeLogs", "logRecords", LogRecord>[];
}

const STATUS_ERROR = 2;
const NANOSECONDS_PER_MS = 1e6;

/** Returns the contents of an export request (OTLP 1.x, JSON Protobuf Encoding) as flat lists. */
export function readExport({ resourceMetrics = [], resourceSpans = [], resourceLogs = [] }: Export): Received {
  return {
    points: resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) => metrics).flatMap((metric) => pointsOf(attributesOf(resource), metric)),
    ),
    spans: resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans).map((span) => spanOf(attributesOf(resource), span)),
    ),
    logs: resourceLogs.flatMap(({ resource, scopeLogs }) =>
      scopeLogs
        .flatMap(({ logRecords }) => logRecords)
        .map((record) => ({
          resource: attributesOf(resource),
          severity: record.severityText ?? "",
          body: String(record.body ? valueOf(record.body) : ""),
          attributes: attributesOf(record),
          traceId: record.traceId,
          spanId: record.spanId,
        })),
    ),
  };
}

function pointsOf(resource: Attributes, metric: Metric): ReceivedPoint[] {
  const kind = metric.sum ? "sum" : metric.gauge ? "gauge" : "histogram";
  const isMonotonic = metric.sum?.isMonotonic;
  return (metric[kind]?.dataPoints ?? []).map((point) => ({
    ...{ resource, metric: metric.name, kind, unit: metric.unit, attributes: attributesOf(point) },
    ...(isMonotonic !== undefined && { isMonotonic }),
    value: Number(point.asInt ?? point.asDouble ?? point.count),
    ...(kind === "histogram" && { sum: point.sum ?? 0, bounds: point.explicitBounds ?? [] }),
  }));
}

function spanOf(resource: Attributes, span: Span): ReceivedSpan {
  const { traceId, spanId, parentSpanId, name, links = [] } = span;
  const [start, end] = [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)];
  return {
    ...{ resource, traceId, spanId, name, attributes: attributesOf(span) },
    parentSpanId: parentSpanId || undefined,
    kind: SPAN_KINDS[span.kind] ?? "UNSPECIFIED",
    startMs: Number(start) / NANOSECONDS_PER_MS,
    durationMs: Number(end - start) / NANOSECONDS_PER_MS,
    links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
    failed: span.status?.code === STATUS_ERROR,
  };
}

function attributesOf({ attributes = [] }: Attributed): Attributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf({ arrayValue, stringValue, boolValue, doubleValue, intValue }: Value): string | number | boolean {
  if (arrayValue) return JSON.stringify(arrayValue.values.map(valueOf));
  return stringValue ?? boolValue ?? doubleValue ?? Number(intValue);
}
