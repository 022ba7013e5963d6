import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";
import type { KnownSeries } from "./series.ts";

/**
 * Parses a PromQL query with Prometheus' own grammar.
 * @returns its selectors, `bound` being the bucket of `le="…"`, and its groupings (`by`, `on` and the like) with the metrics they group
 * @throws Error for invalid PromQL, or a selector without a metric name
 */
export function readQuery(expression: string) {
  const { topNode } = parser.parse(expression);
  const textOf = ({ from, to }: SyntaxNode) => expression.slice(from, to);
  const broken = find(topNode, ({ type }) => type.isError)[0];
  if (broken)
    throw new Error(`Invalid PromQL at ${broken.from}, before ${JSON.stringify(expression.slice(broken.from))}`);
  const metricOf = (selector: SyntaxNode) => {
    const name = selector.getChild("Identifier");
    if (!name) throw new Error(`The selector ${textOf(selector)} has no metric name`);
    return textOf(name);
  };
  const labelsIn = (node: SyntaxNode) => named(node, "LabelName").map(textOf);
  return {
    selectors: named(topNode, "VectorSelector").map((selector) => {
      const bound = /[{,]\s*le\s*=\s*["'`]([\d.e-]+)["'`]/.exec(textOf(selector))?.[1];
      const labels = labelsIn(selector);
      return { metric: metricOf(selector), labels, ...(bound !== undefined && { bound: Number(bound) }) };
    }),
    groupings: named(topNode, "GroupingLabels").map((grouping) => ({
      labels: labelsIn(grouping),
      metrics: named(aggregationAround(grouping), "VectorSelector").map(metricOf),
    })),
  };
}

/**
 * Returns the errors of a query when only these series exist: invalid PromQL, an unknown metric, label or bucket. Prometheus
 * returns an empty result for them.
 */
export function checkQuery(expression: string, known: KnownSeries): string[] {
  let query: ReturnType<typeof readQuery>;
  try {
    query = readQuery(expression);
  } catch (error) {
    return [(error as Error).message];
  }
  const problems = new Set<string>();
  for (const { metric, labels, bound } of query.selectors) {
    const series = known.get(metric);
    if (!series) problems.add(`no service sends ${metric}`);
    for (const label of series ? labels : [])
      if (!series?.labels.has(label)) problems.add(`${metric} has no label ${label}`);
    if (bound !== undefined && series?.bounds?.has(bound) === false)
      problems.add(`${metric} has no bucket up to ${bound}`);
  }
  for (const { labels, metrics } of query.groupings) {
    if (!metrics.every((metric) => known.has(metric))) continue;
    for (const label of labels)
      if (!metrics.some((metric) => known.get(metric)?.labels.has(label)))
        problems.add(`no metric of the grouping has the label ${label}: ${metrics.join(", ")}`);
  }
  return [...problems];
}

/** Returns the aggregation or binary operation of a grouping. */
function aggregationAround(node: SyntaxNode): SyntaxNode {
  for (let around = node.parent; around; around = around.parent)
    if (around.name === "AggregateExpr" || around.name === "BinaryExpr") return around;
  return node;
}

const named = (node: SyntaxNode, name: string) => find(node, (inner) => inner.name === name);

function find(node: SyntaxNode, matches: (inner: SyntaxNode) => boolean): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (matches(child)) found.push(child);
    found.push(...find(child, matches));
  }
  return found;
}
