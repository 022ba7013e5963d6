const REQUEST = ["http.request.method", "url.scheme", "http.response.status_code", "http.route"];
const CALL = ["http.request.method", "url.template", "http.response.status_code", "server.address", "server.port"];
const STATEMENT = [
  ...["db.system.name", "db.namespace", "db.operation.name", "db.query.summary", "db.query.text"],
  ...["server.address", "server.port"],
];

const PUBLISH = [
  ...["messaging.system", "messaging.operation.name", "messaging.operation.type"],
  ...["messaging.destination.name", "messaging.message.id"],
];
const PROCESS = [...PUBLISH, "messaging.consumer.group.name"];

/** What a span of this kind must say of itself by OpenTelemetry's semantic conventions. */
import type { ReceivedSpan, SpanKindName } from "@gatehouse/test-kit/otlp";
export function requiredOf(kind: SpanKindName, attributes: ReceivedSpan["attributes"]): readonly string[] {
  if (kind === "SERVER") return REQUEST;
  if (kind === "CLIENT") return "db.system.name" in attributes ? STATEMENT : CALL;
  if (kind === "PRODUCER") return PUBLISH;
  return kind === "CONSUMER" ? PROCESS : [];
}

/**
 * What happens now and then, and on which no tree depends: none of the connections was free or open yet; a row was published by its process
 * and by a sweep at once, and the stream dropped the second.
 */
function isIncidental({ name, attributes }: ReceivedSpan): boolean {
  return name === "wait for a connection" || attributes["gatehouse.message.duplicate"] === true;
}

/** Kinds of later work of a request: drawn below its own spans, in any order of their starts. */
const LATER_KINDS = ["PRODUCER", "CONSUMER"];

/**
 * The spans of one trace as text, a line each: `service KIND name`, indented below their parent, and what they link to. In the order in
 * which they began, except where nothing orders them: between services by name, and messages after the rest.
 */
export function drawTree(all: readonly ReceivedSpan[]): string {
  const spans = all.filter((span) => !isIncidental(span));
  const known = new Map(spans.map((span) => [span.spanId, span]));
  const childrenOf = (parent: ReceivedSpan | undefined) =>
    spans
      .filter(({ parentSpanId = "" }) => known.get(parentSpanId) === parent)
      .toSorted((a, b) => rank(a).localeCompare(rank(b)) || a.startMs - b.startMs);
  const draw = (span: ReceivedSpan, depth: number): string[] => [
    `${"  ".repeat(depth)}${title(span)}${links(span)}`,
    ...childrenOf(span).flatMap((child) => draw(child, depth + 1)),
  ];
  const links = (span: ReceivedSpan) =>
    span.links.map(({ spanId }) => ` -> ${title(known.get(spanId)) || "elsewhere"}`).join("");
  return childrenOf(undefined)
    .flatMap((root) => draw(root, 0))
    .join("\n");
}

/**
 * Returns a tree written as a template literal, without its first line break and its common indentation. An inserted part is
 * indented to the depth of its placeholder.
 */
export function lines({ raw }: TemplateStringsArray, ...parts: readonly string[]): string {
  const text = raw.reduce((before, after, index) => {
    const depth = before.length - before.lastIndexOf("\n") - 1;
    return before + (parts[index - 1] ?? "").replaceAll("\n", `\n${" ".repeat(depth)}`) + after;
  });
  const indent = /^\n *(?=\S)/.exec(text)?.[0] ?? "";
  return text.replaceAll(indent, "\n").trim();
}

function title(span: ReceivedSpan | undefined): string {
  const group = span?.attributes["messaging.consumer.group.name"];
  return span ? `${serviceOf(span)} ${span.kind} ${span.name}${group === undefined ? "" : ` (${group})`}` : "";
}

function rank(span: ReceivedSpan): string {
  return LATER_KINDS.includes(span.kind) ? `1 ${span.name} ${title(span)}` : `0 ${serviceOf(span)}`;
}

function serviceOf({ resource }: ReceivedSpan): string {
  return String(resource["service.name"]).replace("gatehouse-", "");
}
