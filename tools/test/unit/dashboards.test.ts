import {
  checkQuery,
  dashboardQueries,
  type DescribedInstrument,
  ruleQueries,
  runbookQueries,
  seriesOf,
  withRecorded,
} from "@gatehouse/test-kit/prometheus";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Readonly<Record<"x" | "y" | "w" | "h", number>>;
}

const DASHBOARDS = globSync("deploy/observability/grafana/dashboards/*.json", { cwd: ROOT }).map(
  (file) => JSON.parse(readFileSync(join(ROOT, file), "utf8")) as { title: string; panels: readonly Panel[] },
);

describe("a dashboard", () => {
  it.each(DASHBOARDS)("places its panels side by side without overlaps: $title", ({ panels }) => {
    const taken = new Set<string>();
    for (const { title, gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      expect([title, x + w <= 24]).toEqual([title, true]);
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          expect([title, taken.has(`${column}:${line}`)]).toEqual([title, false]);
          taken.add(`${column}:${line}`);
        }
    }
  });

  it.each(DASHBOARDS)("describes each panel and links to runbooks that exist: $title", (dashboard) => {
    const panels = dashboard.panels.filter(({ type }) => type !== "row");
    expect(panels.length).toBeGreaterThan(8);
    for (const { title, description = "" } of panels) {
      expect([title, description.length > 20]).toEqual([title, true]);
      for (const [page] of description.matchAll(/docs\/[\w./-]+\.md/g))
        expect([page, existsSync(`${ROOT}${page}`)]).toEqual([page, true]);
    }
  });

  it("queries only the service chosen at its top", () => {
    const queries = dashboardQueries().filter(({ where }) => !where.endsWith("$service"));
    expect(queries.length).toBeGreaterThan(50);
    for (const { where, expression } of queries)
      if (!expression.startsWith("ALERTS"))
        expect([where, expression]).toEqual([where, expect.stringContaining("$service")]);
  });
});

const KINDS: Readonly<Record<string, DescribedInstrument["kind"]>> = {
  counter: "counter",
  sum: "up_down_counter",
  gauge: "gauge",
  histogram: "histogram",
};

/** An entry of the page: metric, kind, unit, attributes. */
const ENTRY = /^- `([a-z0-9_.]+)`\n {2}- Type: (\w+), `?([^`\n]+)`?\n(?: {2}- Attributes: (.*)\n)?/gm;
const documented = [...readFileSync(`${ROOT}docs/operations/metrics.md`, "utf8").matchAll(ENTRY)].map(
  ([, name = "", kind = "", unit = "", attributes = ""]): DescribedInstrument => ({
    name,
    unit,
    kind: KINDS[kind] ?? expect.fail(`${name}: unknown kind ${kind}`),
    attributes: [...attributes.matchAll(/`([a-z0-9_.]+)`/g)].map(([, attribute = ""]) => attribute),
  }),
);

describe("a query of a dashboard, rule or runbook", () => {
  const known = withRecorded(seriesOf(documented));

  it.each([...dashboardQueries(), ...ruleQueries(), ...runbookQueries()])(
    "asks for metrics of docs/operations/metrics.md: $where",
    ({ expression }) => {
      expect(checkQuery(expression, known)).toEqual([]);
    },
  );
});
