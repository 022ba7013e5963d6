/** Progress of a long run, on standard error. */

const begun = performance.now();
// A terminal shows the current line until the next one replaces it.
const clear = () => (process.stderr.isTTY ? "\r\u001B[K" : "");
const clock = () => `${((performance.now() - begun) / 1_000).toFixed(0).padStart(4)} s`;

/** Writes a line that stays, with the seconds since the start. */
export function note(line: string): void {
  process.stderr.write(`${clear()}${clock()}  ${line}\n`);
}

/** Shows what happens now; on a terminal only. */
export function show(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${clear()}${clock()}  ${line}`);
}

/** Shows a count of a known total; on a terminal only. */
export function showCount(label: string, done: number, total: number): void {
  const filled = Math.round((done / total) * 30);
  show(`${label} [${"#".repeat(filled).padEnd(30, "-")}] ${done}/${total}${done === total ? "\n" : ""}`);
}
