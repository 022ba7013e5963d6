import { REPOSITORY_ROOT } from "@gatehouse/local-stack";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { KnownSeries } from "./known-series.ts";
import { readQuery } from "./read-query.ts";

/** A query of a dashboard or a rule, in PromQL, and where it stands. */
export interface StackQuery {
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

/** What Grafana puts into a query before it sends it. */
const VARIABLES: Readonly<Record<string, string>> = { $__rate_interval: "4m", $__interval: "1m", $__range: "1h" };

const withoutVariables = (query: string) => query.replaceAll(/\$__\w+/g, (name) => VARIABLES[name] ?? name);

/** Every query to Prometheus of the dashboards in deploy/observability, those of their variables too. */
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
      // label_values(selector, label) is Grafana's: the values of that label.
      expression: query.query.replace(/^label_values\((.*), (\w+)\)$/, "group by ($2) ($1)"),
    }));
    return [...ofPanels, ...ofVariables];
  });
}

/** The rules that Prometheus is given, each with its file. */
export function stackRules(): (Rule & { readonly file: string })[] {
  return globSync(`${FOLDER}/alerts/*.yml`, { cwd: REPOSITORY_ROOT }).flatMap((file) => {
    const text = readFileSync(join(REPOSITORY_ROOT, file), "utf8");
    const { groups = [] } = parse(text) as { groups?: readonly { readonly rules: readonly Rule[] }[] };
    return groups.flatMap((group) => group.rules.map((rule) => ({ ...rule, file })));
  });
}

/** Every query of the rules that Prometheus is given. */
export function ruleQueries(): StackQuery[] {
  return stackRules().map(({ file, alert, record, expr }) => ({
    where: `${file}: ${alert ?? record}`,
    expression: expr,
  }));
}

/** Every query that a runbook tells to look at: each line of its blocks of PromQL. */
export function runbookQueries(): StackQuery[] {
  return globSync("docs/operations/runbooks/*.md", { cwd: REPOSITORY_ROOT }).flatMap((file) =>
    [...readFileSync(join(REPOSITORY_ROOT, file), "utf8").matchAll(/^```promql\n(.*?)^```$/gms)]
      .flatMap(([, block = ""]) => block.trim().split("\n"))
      .map((expression) => ({ where: file, expression })),
  );
}

/** The series that rules record, with the labels that they group by, beside what is known already. */
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
