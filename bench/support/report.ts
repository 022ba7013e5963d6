import { availableParallelism, loadavg } from "node:os";

/** The machine's cores with every figure, since a figure without them says nothing, and how many wanted them lately. */
export function machine() {
  return {
    cores: availableParallelism(),
    node: process.version,
    load: loadavg().map((each) => Math.round(each * 10) / 10),
  };
}

export function printMachine(): void {
  const { cores, node, load } = machine();
  console.log(`machine: ${cores} cores, Node ${node}, load ${load.join(", ")} (1, 5, 15 minutes)`);
}

/** The value below which `share` (0 to 1) of the samples lie. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** `p50 1.2 ms, p90 …`; samples in milliseconds. */
export function describe(samples: readonly number[]): string {
  const at = (share: number) => `${quantile(samples, share).toFixed(1)} ms`;
  return `n ${samples.length}, p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)}`;
}

/** Shows on a terminal how far a long run is. */
export function progress(label: string, done: number, total: number): void {
  if (!process.stderr.isTTY) return;
  const width = 30;
  const filled = Math.round((done / total) * width);
  process.stderr.write(`\r${label} [${"#".repeat(filled)}${"-".repeat(width - filled)}] ${done}/${total}`);
  if (done === total) process.stderr.write("\n");
}
