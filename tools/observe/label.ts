import type { ReceivedSpan } from "@gatehouse/test-kit/otlp";
import { printable } from "../ops/terminal.ts";

/** What a row says of its span beside when: its name, and how it came out. */
export interface Label {
  readonly name: string;
  /** The status of an answer, the kind of an error; empty where there is nothing to say. */
  readonly outcome: string;
  readonly tone: "plain" | "warning" | "error";
}

const CLIENT_ERROR = 400;

/** The service that a span is from: `auth` for gatehouse-auth. */
export function serviceOf({ resource }: ReceivedSpan): string {
  return printable(String(resource["service.name"] ?? "?")).replace(/^gatehouse-/, "");
}

/** A statement to the database, by the conventions. */
export function isStatement({ attributes }: ReceivedSpan): boolean {
  return attributes["db.system.name"] !== undefined;
}

/** `POST /v1/users 201` for a request that came, with an arrow for one that was sent, `INSERT auth.accounts ✗ 23505`. */
export function labelOf(span: ReceivedSpan): Label {
  const { kind, attributes, failed } = span;
  const isSent = kind === "CLIENT" && !isStatement(span);
  const status = attributes["http.response.status_code"];
  const error = attributes["error.type"];
  const says = [status, failed && `✗${error === undefined || error === String(status) ? "" : ` ${error}`}`];
  return {
    name: `${isSent ? "→ " : ""}${printable(span.name)}`,
    outcome: printable(says.filter((word) => word !== undefined && word !== false).join(" ")),
    tone: failed ? "error" : Number(status) >= CLIENT_ERROR ? "warning" : "plain",
  };
}

/** `BEGIN`, `SELECT auth.accounts ×2`, `COMMIT`: what happened, in its order, with repetitions counted. */
export function countedNames(spans: readonly ReceivedSpan[]): string[] {
  const runs: { name: string; count: number }[] = [];
  for (const { name } of spans) {
    const last = runs.at(-1);
    if (last?.name === name) last.count++;
    else runs.push({ name, count: 1 });
  }
  return runs.map(({ name, count }) => printable(name) + (count > 1 ? ` ×${count}` : ""));
}

/** The words in lines of at most `width`, put together by a dot; a word that is too long is cut. */
export function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const [last, next] = [lines.at(-1), cut(word, width)];
    const joined = `${last} · ${next}`;
    if (last !== undefined && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(next);
  }
  return lines;
}

export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
