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

const FOLDER = "deploy/observability";

interface Target {
  readonly expr?: string;
  readonly datasource?: { readonly type?: string };
}

interface Panel {
  readonly title?: string;
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
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

const withoutVariables = (query: string) => query.replaceAll(/\$__\w+/g, (name) => VARIABLES[name] ?? name);

/** Returns every Prometheus query of the dashboards and of their variables. */
export function dashboardQueries(): StackQuery[] {
  return globSync(`${FOLDER}/grafana/dashboards/*.json`, { cwd: REPOSITORY_ROOT }).flatMap((file) => {
    const dashboard = JSON.parse(readFileSync(join(REPOSITORY_ROOT, file), "utf8")) as Dashboard;
    const ofPanels = dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets
        .filter(({ datasource }) => datasource?.type === "prometheus")
        .map(({ expr = "" }) => ({ where: `${file}: ${title}`, expression: withoutVariables(expr) })),
    );
    const ofVariables = dashboard.templating.list.map(({ name, query }) => ({
      where: `${file}: $${name}`,
      // Grafana's label_values(selector, label) returns the values of the label.
      expression: query.query.replace(/^label_values\((.*), (\w+)\)$/, "group by ($2) ($1)"),
    }));
    return [...ofPanels, ...ofVariables];
  });
}

/** Returns Prometheus' rules, each with its file. */
export function stackRules(): (Rule & { readonly file: string })[] {
  return globSync(`${FOLDER}/alerts/*.yml`, { cwd: REPOSITORY_ROOT }).flatMap((file) => {
    const text = readFileSync(join(REPOSITORY_ROOT, file), "utf8");
    const { groups = [] } = parse(text) as { groups?: readonly { readonly rules: readonly Rule[] }[] };
    return groups.flatMap((group) => group.rules.map((rule) => ({ ...rule, file })));
  });
}

/** Returns every query of Prometheus' rules. */
export function ruleQueries(): StackQuery[] {
  return stackRules().map(({ file, alert, record, expr }) => ({
    where: `${file}: ${alert ?? record}`,
    expression: expr,
  }));
}

/** Returns every query of the runbooks: each line of a PromQL block. */
export function runbookQueries(): StackQuery[] {
  return globSync("docs/operations/runbooks/*.md", { cwd: REPOSITORY_ROOT }).flatMap((file) =>
    [...readFileSync(join(REPOSITORY_ROOT, file), "utf8").matchAll(/^```promql\n(.*?)^```$/gms)]
      .flatMap(([, block = ""]) => block.trim().split("\n"))
      .map((expression) => ({ where: file, expression })),
  );
}

/** Adds the series that rules record, with the labels of their groupings. */
export function withRecorded(known: KnownSeries): KnownSeries {
  const all = new Map(known);
  for (const { record, expr, labels = {} } of stackRules())
    if (record !== undefined) {
      const grouped = readQuery(expr).groupings.flatMap((grouping) => grouping.labels);
      const before = all.get(record)?.labels ?? [];
      all.set(record, { labels: new Set([...grouped, ...Object.keys(labels), ...before]) });
    }
  return all;
}
