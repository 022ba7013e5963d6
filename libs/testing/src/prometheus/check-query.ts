import type { KnownSeries } from "./known-series.ts";
import { readQuery } from "./read-query.ts";

/**
 * What is wrong with a query when only these series are there: no PromQL, a metric that nobody sends, a label that it never has. Prometheus
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
  for (const { metric, labels } of query.selectors) {
    const its = known.get(metric);
    if (!its) complaints.push(`${metric} is sent by no service`);
    else for (const label of labels) if (!its.has(label)) complaints.push(`${metric} has no label ${label}`);
  }
  for (const { labels, metrics } of query.groupings) {
    if (!metrics.every((metric) => known.has(metric))) continue;
    for (const label of labels)
      if (!metrics.some((metric) => known.get(metric)?.has(label)))
        complaints.push(`no metric that is grouped by ${label} has it: ${metrics.join(", ")}`);
  }
  return [...new Set(complaints)];
}
