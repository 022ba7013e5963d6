import type { ReceivedSpan } from "@gatehouse/test-kit/otlp";
import { printable } from "../ops/terminal.ts";
import { countedNames, cut, isStatement, type Label, labelOf, wrapWords } from "./label.ts";
import { buildTrees, type Row, rowsOf } from "./span-tree.ts";
import { briefDuration, extentOf, type Stretch, timeline } from "./timeline.ts";
import type { ObservedTrace } from "./trace-collector.ts";

type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan" | "magenta" | "blue";

export interface Page {
  /** In characters; what is narrower than 60 or wider than 140 counts as that. */
  readonly width: number;
  /** Text as the terminal shows that style; the same text where it shows none. */
  readonly paint: (style: Style, text: string) => string;
  /** The time of day, from milliseconds since 1970. */
  readonly timeOfDay: (ms: number) => string;
}

const SERVICE_COLOURS: Readonly<Record<string, Style>> = { gateway: "cyan", user: "green", auth: "magenta" };
const SERVICE_WIDTH = 8;
const DURATION_WIDTH = 8;
const NARROWEST = 60;
const WIDEST = 140;

/** A statement that took less than both is short. */
const SHORT_MS = 5;
const SHORT_SHARE = 0.05;

/**
 * One trace, or what has come of it since it was shown, as lines: a tree with service, name and outcome, duration, and the part of the
 * whole time in which it was. Each span is there; short statements to the database that follow each other share a row.
 */
export function renderTrace({ traceId, spans, shown }: ObservedTrace, to: Page, correlationId?: string): string[] {
  const page = { ...to, width: Math.min(WIDEST, Math.max(NARROWEST, to.width)) };
  const whole = extentOf(spans);
  const longestShort = Math.max(SHORT_MS, whole.durationMs * SHORT_SHARE);
  const isShort = (span: ReceivedSpan) => isStatement(span) && !span.failed && span.durationMs < longestShort;
  const rows = rowsOf(buildTrees(spans, shown), isShort);
  const write = createRowWriter(page, whole);
  const lines = rows.flatMap((row, index) => write(row, rows[index - 1]));
  return ["", ...head(traceId, whole.startMs, shown, page, correlationId), ...lines].map((line) => line.trimEnd());
}

function head(
  traceId: string,
  startMs: number,
  shown: readonly ReceivedSpan[],
  { width, paint, timeOfDay }: Page,
  correlationId?: string,
): string[] {
  const later = shown.length > 0 ? `, continued at +${briefDuration(startMs - extentOf(shown).startMs)}` : "";
  const title = `── ${timeOfDay(startMs)}  trace ${printable(traceId)}${later} `;
  const rule = cut(title.padEnd(width, "─"), width);
  const correlation = correlationId === undefined ? [] : [cut(`   correlation id ${correlationId}`, width)];
  return [rule, ...correlation].map((line) => paint("dim", line));
}

function createRowWriter({ width, paint }: Page, whole: Stretch): (row: Row, before: Row | undefined) => string[] {
  const barWidth = Math.floor(width / 5);
  const labelWidth = width - SERVICE_WIDTH - DURATION_WIDTH - 2 - barWidth;

  return (row, before) => {
    const { service } = row;
    const colour = SERVICE_COLOURS[service] ?? "blue";
    const { first, more } = guides(row.branches);
    const [text, ...rest] = labelLines(row, labelWidth - first.length, paint);
    const name = (service === before?.service ? "" : cut(service, SERVICE_WIDTH - 1)).padEnd(SERVICE_WIDTH);
    const failed = row.spans.some((span) => span.failed);
    const total = row.spans.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const measured = row.isShown
      ? ""
      : `${briefDuration(total).padStart(DURATION_WIDTH)}  ${paint(failed ? "red" : colour, timeline(row.spans, whole, barWidth).trimEnd())}`;
    return [
      paint(colour, name) + paint("dim", first) + text + measured,
      ...rest.map((line) => " ".repeat(SERVICE_WIDTH) + paint("dim", more) + line.trimEnd()),
    ];
  };
}

/** What stands before a label: the lines of the tree, for the row's first line and for those below it. */
function guides(branches: readonly boolean[]): { first: string; more: string } {
  const above = branches.slice(0, -1).map((goesOn) => (goesOn ? "│ " : "  "));
  const last = branches.at(-1);
  if (last === undefined) return { first: "", more: "" };
  return { first: [...above, last ? "├ " : "└ "].join(""), more: [...above, last ? "│ " : "  "].join("") };
}

/** The label in as many lines as it needs, each filled up to the width. */
function labelLines({ spans, isShown }: Row, width: number, paint: Page["paint"]): string[] {
  const [span] = spans;
  if (span === undefined || spans.length > 1)
    return wrapWords(countedNames(spans), width).map((line) => line.padEnd(width));
  const label = labelOf(span);
  const line = nameAndOutcome(label, width, paint);
  return [isShown ? paint("dim", line) : line];
}

function nameAndOutcome({ name, outcome, tone }: Label, width: number, paint: Page["paint"]): string {
  if (outcome === "") return cut(name, width).padEnd(width);
  const ending = cut(outcome, Math.max(Math.floor(width / 2), width - name.length - 1));
  const beginning = cut(name, width - ending.length - 1);
  const fill = " ".repeat(width - beginning.length - 1 - ending.length);
  if (tone === "error") return paint("red", `${beginning} ${ending}`) + fill;
  return `${beginning} ${paint(tone === "warning" ? "yellow" : "dim", ending)}${fill}`;
}
