import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** The last lines that a process wrote, and whoever wants each as it comes. */
export interface LogTail {
  readonly lines: readonly string[];
  text(): string;
}

/** Reads the streams line by line for ever (a full pipe would stop the writer) and keeps the last `keep` lines. */
export function tailLog(streams: readonly Readable[], keep: number, onLine?: (line: string) => void): LogTail {
  const lines: string[] = [];
  for (const stream of streams) {
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
      lines.push(line);
      if (lines.length > keep) lines.shift();
      onLine?.(line);
    });
  }
  return { lines, text: () => lines.join("\n") };
}
