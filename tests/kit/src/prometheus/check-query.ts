import type { KnownSeries } from "./known-series.ts";
import { readQuery } from "./read-query.ts";

/**
 * What is wrong with a query when only these series are there: no PromQL, a metric that nobody sends, a label or a bucket that it never has. Prometheus
 * itself would answer nothing, which on a dashboard looks like peace.
 */
export function checkQuery(expression: string, known: KnownSeries): string[] {
  let query: ReturnType<typeof readQuery>;
  try {
    query = readQuery(expression);
  } catch (error) {
    return [(error as Error).message];
  }
  const complaints: string[] = [];
  for (const { metric, labels, bound } of query.selectors) {
    const series = known.get(metric);
    if (!series) {
      complaints.push(`${metric} is sent by no service`);
      continue;
    }
    for (const label of labels) if (!series.labels.has(label)) complaints.push(`${metric} has no label ${label}`);
    if (bound !== undefined && series.bounds?.has(bound) === false)
      complaints.push(`${metric} has no bucket up to ${bound}`);
  }
  for (const { labels, metrics } of query.groupings) {
    if (!metrics.every((metric) => known.has(metric))) continue;
    for (const label of labels)
      if (!metrics.some((metric) => known.get(metric)?.labels.has(label)))
        complaints.push(`no metric that is grouped by ${label} has it: ${metrics.join(", ")}`);
  }
  return [...new Set(complaints)];
}
