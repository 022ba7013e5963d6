import type { ReceivedSpan } from "@gatehouse/test-kit/otlp";
import { printable } from "../ops/terminal.ts";
import type { ObservedTrace } from "./trace-collector.ts";

type Style = "dim" | "red" | "yellow" | "green" | "cyan" | "magenta" | "blue";

export interface Page {
  /** In characters, at least 60 and at most 140. */
  readonly width: number;
  readonly paint: (style: Style, text: string) => string;
  /** The time of day of milliseconds since 1970. */
  readonly timeOfDay: (ms: number) => string;
}

const SERVICE_COLORS: Readonly<Record<string, Style>> = { gateway: "cyan", user: "green", auth: "magenta" };
const SERVICE_WIDTH = 8;
const DURATION_WIDTH = 8;

/** A statement that takes less than both is short. */
const SHORT_MS = 5;
const SHORT_SHARE = 0.05;

/** Returns the new spans of a trace as a tree in lines. Consecutive short statements share a row. */
export function renderTrace({ traceId, spans, shown }: ObservedTrace, page: Page, correlationId?: string): string[] {
  const { paint } = page;
  const width = Math.min(140, Math.max(60, page.width));
  const barWidth = Math.floor(width / 5);
  const labelWidth = width - SERVICE_WIDTH - DURATION_WIDTH - 2 - barWidth;
  const whole = extentOf(spans);
  const shortMs = Math.max(SHORT_MS, whole.durationMs * SHORT_SHARE);
  const mayShare = ({ span, children, isShown }: Node) =>
    !isShown && children.length === 0 && isStatement(span) && !span.failed && span.durationMs < shortMs;
  const later = shown.length > 0 ? `, continued at +${briefDuration(whole.startMs - extentOf(shown).startMs)}` : "";
  const head = [`── ${page.timeOfDay(whole.startMs)}  trace ${printable(traceId)}${later} `.padEnd(width, "─")];
  if (correlationId !== undefined) head.push(`   correlation id ${correlationId}`);
  let before: string | undefined;
  const rows = rowsOf(treesOf(spans, shown), mayShare).flatMap(({ nodes, first, more }) => {
    const service = serviceOf(nodes[0].span);
    const name = (service === before ? "" : cut(service, SERVICE_WIDTH - 1)).padEnd(SERVICE_WIDTH);
    before = service;
    const color = SERVICE_COLORS[service] ?? "blue";
    const [text, ...rest] = labelOf(nodes, labelWidth - first.length, paint);
    const stretches = nodes.map(({ span }) => span);
    const total = briefDuration(stretches.reduce((sum, { durationMs }) => sum + durationMs, 0));
    const bar = timeline(stretches, whole, barWidth).trimEnd();
    const isFailed = stretches.some(({ failed }) => failed);
    const measured = `${total.padStart(DURATION_WIDTH)}  ${paint(isFailed ? "red" : color, bar)}`;
    return [
      paint(color, name) + paint("dim", first) + text + (nodes[0].isShown ? "" : measured),
      ...rest.map((line) => " ".repeat(SERVICE_WIDTH) + paint("dim", more) + line),
    ];
  });
  return ["", ...head.map((line) => paint("dim", cut(line, width))), ...rows].map((line) => line.trimEnd());
}

interface Node {
  readonly span: ReceivedSpan;
  readonly children: readonly Node[];
  /** Printed before, and repeated as the ancestor of a new span. */
  readonly isShown: boolean;
}

/** Returns the trees of the new spans with their ancestors, in the order of their starts. */
function treesOf(spans: readonly ReceivedSpan[], shown: readonly ReceivedSpan[]): Node[] {
  const nodes = new Map<string, Node & { children: Node[] }>();
  for (const span of shown) nodes.set(span.spanId, { span, children: [], isShown: true });
  for (const span of spans) nodes.set(span.spanId, { span, children: [], isShown: false });
  const roots: Node[] = [];
  for (const node of nodes.values()) (nodes.get(node.span.parentSpanId ?? "")?.children ?? roots).push(node);
  const inOrder = (list: readonly Node[]): Node[] =>
    list
      .map((node) => ({ ...node, children: inOrder(node.children) }))
      .filter(({ isShown, children }) => !isShown || children.length > 0)
      .toSorted((one, other) => one.span.startMs - other.span.startMs);
  return inOrder(roots);
}

interface Row {
  readonly nodes: [Node, ...Node[]];
  /** The lines of the tree before the first line of the label, and before its other lines. */
  readonly first: string;
  readonly more: string;
}

function rowsOf(nodes: readonly Node[], mayShare: (node: Node) => boolean, above?: string): Row[] {
  const groups: Row["nodes"][] = [];
  for (const node of nodes) {
    const last = groups.at(-1);
    const isShared = above !== undefined && last && mayShare(node) && mayShare(last[0]);
    if (isShared && serviceOf(last[0].span) === serviceOf(node.span)) last.push(node);
    else groups.push([node]);
  }
  return groups.flatMap((group, index) => {
    const [branch, line] = index < groups.length - 1 ? ["├ ", "│ "] : ["└ ", "  "];
    const [first, more] = above === undefined ? ["", ""] : [above + branch, above + line];
    return [{ nodes: group, first, more }, ...group.flatMap(({ children }) => rowsOf(children, mayShare, more))];
  });
}

/** Returns the service of a span: `auth` for gatehouse-auth. */
function serviceOf({ resource }: ReceivedSpan): string {
  return printable(String(resource["service.name"] ?? "?")).replace(/^gatehouse-/, "");
}

const isStatement = ({ attributes }: ReceivedSpan): boolean => attributes["db.system.name"] !== undefined;

/** Returns the label in lines: `→ POST /v1/users 201`, `INSERT auth.accounts ✗ 23505`, `SELECT auth.accounts ×2 · COMMIT`. */
function labelOf([{ span, isShown }, ...others]: Row["nodes"], width: number, paint: Page["paint"]): string[] {
  if (others.length > 0) return countedNames([span, ...others.map((node) => node.span)], width);
  const { kind, attributes, failed } = span;
  const name = `${kind === "CLIENT" && !isStatement(span) ? "→ " : ""}${printable(span.name)}`;
  const [status, error] = [attributes["http.response.status_code"], attributes["error.type"]];
  const failure = failed && `✗${error === undefined || error === String(status) ? "" : ` ${error}`}`;
  const outcome = printable([status, failure].filter((word) => word !== undefined && word !== false).join(" "));
  const ending = cut(outcome, Math.max(Math.floor(width / 2), width - name.length - 1));
  const beginning = cut(name, outcome === "" ? width : width - ending.length - 1);
  const fill = " ".repeat(Math.max(0, width - beginning.length - 1 - ending.length));
  if (failed) return [paint("red", `${beginning} ${ending}`) + fill];
  const line =
    outcome === ""
      ? beginning.padEnd(width)
      : `${beginning} ${paint(Number(status) >= 400 ? "yellow" : "dim", ending)}${fill}`;
  return [isShown ? paint("dim", line) : line];
}

/** Returns the names with repetitions counted, in lines of `width`. */
function countedNames(spans: readonly ReceivedSpan[], width: number): string[] {
  const runs: { name: string; count: number }[] = [];
  for (const { name } of spans) {
    const last = runs.at(-1);
    if (last?.name === name) last.count++;
    else runs.push({ name, count: 1 });
  }
  const lines: string[] = [];
  for (const { name, count } of runs) {
    const word = cut(printable(name) + (count > 1 ? ` ×${count}` : ""), width);
    const joined = `${lines.at(-1)} · ${word}`;
    if (lines.length > 0 && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines.map((line) => line.padEnd(width));
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** In milliseconds. */
type Stretch = Pick<ReceivedSpan, "startMs" | "durationMs">;

function extentOf(stretches: readonly Stretch[]): Stretch {
  const startMs = Math.min(...stretches.map((stretch) => stretch.startMs));
  const endMs = Math.max(...stretches.map((stretch) => stretch.startMs + stretch.durationMs));
  return { startMs, durationMs: endMs - startMs };
}

/** Returns the stretches within `whole` as a line of `width` characters; each fills at least one. */
export function timeline(stretches: readonly Stretch[], whole: Stretch, width: number): string {
  const cells = Array.from<string>({ length: width }).fill(" ");
  const cellAt = (ms: number) => ((ms - whole.startMs) / (whole.durationMs || 1)) * width;
  for (const { startMs, durationMs } of stretches) {
    // Floating point may yield slightly less than a whole number.
    const first = Math.min(width - 1, Math.max(0, Math.floor(cellAt(startMs) + 1e-6)));
    cells.fill("━", first, Math.max(first + 1, Math.round(cellAt(startMs + durationMs))));
  }
  return cells.join("");
}

/** Returns three digits: `0.42 ms`, `3.4 ms`, `143 ms`, `1.24 s`. */
export function briefDuration(milliseconds: number): string {
  if (milliseconds >= 999.5) return `${(milliseconds / 1_000).toFixed(2)} s`;
  return `${milliseconds.toFixed(milliseconds < 0.995 ? 2 : milliseconds < 9.95 ? 1 : 0)} ms`;
}
