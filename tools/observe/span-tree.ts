import type { ReceivedSpan } from "@gatehouse/test-kit/otlp";
import { serviceOf } from "./label.ts";

/** A span with what happened within it, in the order of its beginnings. */
export interface SpanNode {
  readonly span: ReceivedSpan;
  readonly children: SpanNode[];
  /** Shown before; it is here so that what came later has a place. */
  readonly isShown: boolean;
}

/** A row of the picture: one span, or several short ones that follow each other and share it. */
export interface Row {
  readonly service: string;
  readonly spans: readonly ReceivedSpan[];
  /** For each level above, from the outside, whether more follows there below this row. */
  readonly branches: readonly boolean[];
  readonly isShown: boolean;
}

/** The spans as trees; several where the parent of some is not there. Of what was shown before only the way down to what is new is left. */
export function buildTrees(spans: readonly ReceivedSpan[], shown: readonly ReceivedSpan[] = []): SpanNode[] {
  const nodes = new Map<string, SpanNode>();
  for (const span of shown) nodes.set(span.spanId, { span, children: [], isShown: true });
  for (const span of spans) nodes.set(span.spanId, { span, children: [], isShown: false });
  const roots: SpanNode[] = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.span.parentSpanId ?? "");
    (parent?.children ?? roots).push(node);
  }
  return inOrder(roots);
}

function inOrder(nodes: readonly SpanNode[]): SpanNode[] {
  return nodes
    .map((node) => ({ ...node, children: inOrder(node.children) }))
    .filter(({ isShown, children }) => !isShown || children.length > 0)
    .toSorted((one, other) => one.span.startMs - other.span.startMs);
}

/** The rows of the trees from the top. `isShort` says which spans may share a row, if nothing happened within them. */
export function rowsOf(trees: readonly SpanNode[], isShort: (span: ReceivedSpan) => boolean): Row[] {
  const mayShare = ({ span, children, isShown }: SpanNode) => !isShown && children.length === 0 && isShort(span);

  function rowsWithin(parent: SpanNode, above: readonly boolean[]): Row[] {
    const groups = groupRuns(parent.children, mayShare);
    return groups.flatMap(({ service, nodes }, index) => {
      const branches = [...above, index < groups.length - 1];
      const isShown = nodes.every((node) => node.isShown);
      const row: Row = { service, spans: nodes.map(({ span }) => span), branches, isShown };
      return [row, ...nodes.flatMap((node) => rowsWithin(node, branches))];
    });
  }

  return trees.flatMap((tree) => [
    { service: serviceOf(tree.span), spans: [tree.span], branches: [], isShown: tree.isShown },
    ...rowsWithin(tree, []),
  ]);
}

/** Neighbours of one service that may share a row, in one group; everybody else alone. */
function groupRuns(siblings: readonly SpanNode[], mayShare: (node: SpanNode) => boolean) {
  const groups: { service: string; isOpen: boolean; nodes: SpanNode[] }[] = [];
  for (const node of siblings) {
    const [last, service, isOpen] = [groups.at(-1), serviceOf(node.span), mayShare(node)];
    if (isOpen && last?.isOpen && last.service === service) last.nodes.push(node);
    else groups.push({ service, isOpen, nodes: [node] });
  }
  return groups;
}
