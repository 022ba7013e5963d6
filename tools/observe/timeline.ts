/** A stretch of time, in milliseconds. */
export interface Stretch {
  readonly startMs: number;
  readonly durationMs: number;
}

/** From the beginning of the first to the end of the last. */
export function extentOf(stretches: readonly Stretch[]): Stretch {
  const startMs = Math.min(...stretches.map((stretch) => stretch.startMs));
  const endMs = Math.max(...stretches.map((stretch) => stretch.startMs + stretch.durationMs));
  return { startMs, durationMs: endMs - startMs };
}

/** Where within `whole` these were, as a line of `width` characters: each is seen, however short. */
export function timeline(stretches: readonly Stretch[], whole: Stretch, width: number): string {
  const cells = Array.from<string>({ length: width }).fill(" ");
  const cellAt = (ms: number) => ((ms - whole.startMs) / (whole.durationMs || 1)) * width;
  for (const { startMs, durationMs } of stretches) {
    const first = Math.min(width - 1, Math.max(0, Math.floor(cellAt(startMs) + ROUNDING)));
    const end = Math.max(first + 1, Math.round(cellAt(startMs + durationMs)));
    cells.fill("━", first, end);
  }
  return cells.join("");
}

/** What floating point may take from a whole number. */
const ROUNDING = 1e-6;

/** Three digits: `0.42 ms`, `3.4 ms`, `143 ms`, `1.24 s`. */
export function briefDuration(milliseconds: number): string {
  if (milliseconds < 0.995) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`;
  return `${(milliseconds / 1_000).toFixed(2)} s`;
}
