/** A value of an attribute; lists come as their JSON. */
type AttributeValue = string | number | boolean;
type Attributes = Readonly<Record<string, AttributeValue>>;

/** One value of one series, as it arrived. */
export interface ReceivedPoint {
  /** The attributes of the process that sent it. */
  readonly resource: Attributes;
  readonly metric: string;
  readonly kind: "sum" | "gauge" | "histogram";
  /** Of a sum: a counter, which only grows. */
  readonly isMonotonic?: boolean;
  readonly unit: string;
  readonly attributes: Attributes;
  /** Of a histogram the count of measurements. */
  readonly value: number;
  /** Of a histogram only. */
  readonly sum?: number;
  /** Of a histogram: the upper ends of its buckets, but for the last, which has none. */
  readonly bounds?: readonly number[];
}

const SPAN_KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] as const;
export type SpanKindName = (typeof SPAN_KINDS)[number];

export interface ReceivedSpan {
  readonly resource: Attributes;
  readonly traceId: string;
  readonly spanId: string;
  /** undefined for the root of a trace. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKindName;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly attributes: Attributes;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
}

export interface ReceivedLog {
  readonly resource: Attributes;
  readonly severity: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
}

interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
}

type KeyValues = readonly { readonly key: string; readonly value: AnyValue }[];

interface DataPoint {
  readonly attributes?: KeyValues;
  readonly asInt?: number | string;
  readonly asDouble?: number;
  readonly count?: number | string;
  readonly sum?: number;
  readonly explicitBounds?: readonly number[];
}

interface Points {
  readonly dataPoints: readonly DataPoint[];
}

interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly sum?: Points & { readonly isMonotonic: boolean };
  readonly gauge?: Points;
  readonly histogram?: Points;
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: KeyValues;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number };
}

interface LogRecord {
  readonly severityText?: string;
  readonly body?: AnyValue;
  readonly attributes?: KeyValues;
  readonly traceId?: string;
  readonly spanId?: string;
}

interface Resource {
  readonly attributes: KeyValues;
}

/** The body of an export request for any signal. */
export interface Export {
  readonly resourceMetrics?: readonly {
    readonly resource: Resource;
    readonly scopeMetrics: readonly { readonly metrics: readonly Metric[] }[];
  }[];
  readonly resourceSpans?: readonly {
    readonly resource: Resource;
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
  readonly resourceLogs?: readonly {
    readonly resource: Resource;
    readonly scopeLogs: readonly { readonly logRecords: readonly LogRecord[] }[];
  }[];
}

const STATUS_ERROR = 2;
const NANOSECONDS_PER_MILLISECOND = 1e6;

/** What an export request holds, flat. */
export function readExport({ resourceMetrics = [], resourceSpans = [], resourceLogs = [] }: Export) {
  return {
    points: resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) => metrics).flatMap((metric) => pointsOf(resource, metric)),
    ),
    spans: resourceSpans.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans).map((span) => spanOf(resource, span)),
    ),
    logs: resourceLogs.flatMap(({ resource, scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) => logRecords).map((record) => logOf(resource, record)),
    ),
  };
}

function pointsOf(resource: Resource, metric: Metric): ReceivedPoint[] {
  const kind = metric.sum ? "sum" : metric.gauge ? "gauge" : "histogram";
  return (metric[kind]?.dataPoints ?? []).map((point) => ({
    resource: attributesOf(resource.attributes),
    metric: metric.name,
    kind,
    ...(metric.sum && { isMonotonic: metric.sum.isMonotonic }),
    unit: metric.unit,
    attributes: attributesOf(point.attributes),
    value: Number(point.asInt ?? point.asDouble ?? point.count),
    ...(kind === "histogram" && { sum: point.sum ?? 0, bounds: point.explicitBounds ?? [] }),
  }));
}

function spanOf(resource: Resource, span: Span): ReceivedSpan {
  const { traceId, spanId, parentSpanId, name, links = [] } = span;
  const [start, end] = [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)];
  return {
    resource: attributesOf(resource.attributes),
    traceId,
    spanId,
    parentSpanId: parentSpanId === "" ? undefined : parentSpanId,
    name,
    kind: SPAN_KINDS[span.kind] ?? "UNSPECIFIED",
    startMs: Number(start) / NANOSECONDS_PER_MILLISECOND,
    durationMs: Number(end - start) / NANOSECONDS_PER_MILLISECOND,
    attributes: attributesOf(span.attributes),
    links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
    failed: span.status?.code === STATUS_ERROR,
  };
}

function logOf(resource: Resource, record: LogRecord): ReceivedLog {
  return {
    resource: attributesOf(resource.attributes),
    severity: record.severityText ?? "",
    body: String(record.body ? valueOf(record.body) : ""),
    attributes: attributesOf(record.attributes),
    traceId: record.traceId,
    spanId: record.spanId,
  };
}

function attributesOf(list: KeyValues = []): Attributes {
  return Object.fromEntries(list.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf(value: AnyValue): AttributeValue {
  if (value.arrayValue) return JSON.stringify(value.arrayValue.values.map(valueOf));
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue);
}
