import { REPOSITORY_ROOT } from "@gatehouse/local-stack";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { readQuery } from "./query.ts";
import type { KnownSeries } from "./series.ts";

/** A PromQL query and its source. */
interface StackQuery {
  readonly where: string;
  readonly expression: string;
}

interface Dashboard {
  readonly panels: readonly {
    readonly title?: string;
    readonly targets?: readonly { readonly expr?: string; readonly datasource?: { readonly type?: string } }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: { readonly query: string } }[];
  };
}

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Grafana replaces these variables. */
const VARIABLES: Readonly<Record<string, string>> = { $__rate_interval: "4m", $__interval: "1m", $__range: "1h" };

const filesOf = (pattern: string) =>
  globSync(pattern, { cwd: REPOSITORY_ROOT }).map((file) => ({
    file,
    content: readFileSync(join(REPOSITORY_ROOT, file), "utf8"),
  }));

/** Returns every Prometheus query of the dashboards and of their variables. */
export function dashboardQueries(): StackQuery[] {
  return filesOf("deploy/observability/grafana/dashboards/*.json").flatMap(({ file, content }) => {
    const { panels, templating } = JSON.parse(content) as Dashboard;
    const ofPanels = panels.flatMap(({ title, targets = [] }) =>
      targets
        .filter(({ datasource }) => datasource?.type === "prometheus")
        .map(({ expr = "" }) => ({
          where: `${file}: ${title}`,
          expression: expr.replaceAll(/\$__\w+/g, (name) => VARIABLES[name] ?? name),
        })),
    );
    const ofVariables = templating.list.map(({ name, query }) => ({
      where: `${file}: $${name}`,
      // Grafana's label_values(selector, label) returns the values of the label.
      expression: query.query.replace(/^label_values\((.*), (\w+)\)$/, "group by ($2) ($1)"),
    }));
    return [...ofPanels, ...ofVariables];
  });
}

/** Returns Prometheus' rules, each with its file. */
export function stackRules(): (Rule & { readonly file: string })[] {
  return filesOf("deploy/observability/alerts/*.yml").flatMap(({ file, content }) => {
    const { groups = [] } = parse(content) as { groups?: readonly { readonly rules: readonly Rule[] }[] };
    return groups.flatMap((group) => group.rules.map((rule) => ({ ...rule, file })));
  });
}

/** Returns every query of Prometheus' rules. */
export const ruleQueries = (): StackQuery[] =>
  stackRules().map(({ file, alert, record, expr }) => ({ where: `${file}: ${alert ?? record}`, expression: expr }));

/** Returns every query of the runbooks: each line of a PromQL block. */
export const runbookQueries = (): StackQuery[] =>
  filesOf("docs/operations/runbooks/*.md").flatMap(({ file, content }) =>
    [...content.matchAll(/^```promql\n(.*?)^```$/gms)]
      .flatMap(([, block = ""]) => block.trim().split("\n"))
      .map((expression) => ({ where: file, expression })),
  );

/** Adds the series that rules record, with the labels of their groupings. */
export function withRecorded(known: KnownSeries): KnownSeries {
  const all = new Map(known);
  for (const { record, expr, labels = {} } of stackRules())
    if (record !== undefined) {
      const grouped = readQuery(expr).groupings.flatMap((grouping) => grouping.labels);
      all.set(record, { labels: new Set([...grouped, ...Object.keys(labels), ...(all.get(record)?.labels ?? [])]) });
    }
  return all;
}
