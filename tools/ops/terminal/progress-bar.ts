import type { Terminal } from "./terminal.ts";

export interface ProgressBar {
  show(done: number): void;
  /** Removes it, so that what is said next stands alone. */
  clear(): void;
}

const WIDTH = 30;
const CLEAR_LINE = "\r\u001B[K";

/** A bar on `output` when that is a terminal, nothing otherwise. */
export function createProgressBar(label: string, total: number, output: Terminal["errors"]): ProgressBar {
  if (!output.isTTY) return { show: () => undefined, clear: () => undefined };
  return {
    show(done) {
      const filled = Math.floor((done / Math.max(1, total)) * WIDTH);
      const bar = "#".repeat(filled) + "-".repeat(WIDTH - filled);
      output.write(`${CLEAR_LINE}${label} [${bar}] ${done}/${total}`);
    },
    clear: () => void output.write(CLEAR_LINE),
  };
}
