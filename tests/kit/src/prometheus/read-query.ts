import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

/** A metric in a query, and the labels that are asked of it. */
interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
  /** The bucket that it asks for by `le="…"`. */
  readonly bound?: number;
}

/** `by (…)`, `without (…)`, `on (…)` and the like: labels, and the metrics that one of them has to come from. */
interface Grouping {
  readonly labels: readonly string[];
  readonly metrics: readonly string[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  readonly groupings: readonly Grouping[];
}

/**
 * What a query in PromQL asks for, read by Prometheus' own grammar.
 * @throws Error where it is no PromQL, or has a selector without a metric's name
 */
export function readQuery(expression: string): Query {
  const { topNode } = parser.parse(expression);
  const textOf = ({ from, to }: SyntaxNode) => expression.slice(from, to);
  const broken = find(topNode, ({ type }) => type.isError)[0];
  if (broken) throw new Error(`No PromQL at ${broken.from}, before ${JSON.stringify(expression.slice(broken.from))}`);

  const metricOf = (selector: SyntaxNode) => {
    const name = selector.getChild("Identifier");
    if (!name) throw new Error(`A selector has to name its metric: ${textOf(selector)}`);
    return textOf(name);
  };
  const labelsIn = (node: SyntaxNode) => named(node, "LabelName").map(textOf);
  return {
    selectors: named(topNode, "VectorSelector").map((selector) => ({
      metric: metricOf(selector),
      labels: labelsIn(selector),
      ...boundIn(textOf(selector)),
    })),
    groupings: named(topNode, "GroupingLabels").map((grouping) => ({
      labels: labelsIn(grouping),
      metrics: named(aggregationAround(grouping), "VectorSelector").map(metricOf),
    })),
  };
}

/** `le` is a number in quotes; the last bucket has no end. */
function boundIn(selector: string): { bound?: number } {
  const bound = /[{,]\s*le\s*=\s*["'`]([\d.e-]+)["'`]/.exec(selector)?.[1];
  return bound === undefined ? {} : { bound: Number(bound) };
}

/** The aggregation or operation whose labels these are. */
function aggregationAround(node: SyntaxNode): SyntaxNode {
  for (let around = node.parent; around; around = around.parent)
    if (around.name === "AggregateExpr" || around.name === "BinaryExpr") return around;
  return node;
}

const named = (node: SyntaxNode, name: string) => find(node, (inner) => inner.name === name);

/** The nodes below a node that are such. */
function find(node: SyntaxNode, isSuch: (inner: SyntaxNode) => boolean): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (isSuch(child)) found.push(child);
    found.push(...find(child, isSuch));
  }
  return found;
}
