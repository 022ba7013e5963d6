import { availableParallelism, loadavg } from "node:os";

/** The machine of a run: a figure without it means nothing. */
export function machine() {
  const load = loadavg().map((each) => Math.round(each * 10) / 10);
  return { cores: availableParallelism(), node: process.version, load };
}

/** The value below which `share` (0 to 1) of the samples lie; NaN without samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Count and percentiles of samples. */
export function summarize(samples: readonly number[]) {
  const [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1].map((share) => quantile(samples, share));
  return { count: samples.length, p50, p90, p99, max };
}

/** `n 200, p50 1.2 ms, p90 …`; samples in milliseconds. */
export function describeTimes(samples: readonly number[]): string {
  const { count, ...shares } = summarize(samples);
  return `n ${count}, ${listOf(shares, (time = Number.NaN) => `${time.toFixed(1)} ms`)}`;
}

/** `name value, name value` of an object's entries. */
export function listOf<T>(values: Readonly<Record<string, T>>, format: (value: T) => string = String): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${format(value)}`)
    .join(", ");
}
