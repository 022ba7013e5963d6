import {
  checkQuery,
  dashboardQueries,
  type DescribedInstrument,
  ruleQueries,
  runbookQueries,
  seriesOf,
  withRecorded,
} from "@gatehouse/test-kit/prometheus";
import type { Panel, RowPanel } from "@grafana/schema";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { buildDashboard } from "../../dashboards/build-dashboard.ts";
import { DASHBOARDS, dashboardFiles } from "../../dashboards/dashboard-files.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

const panelsOf = (dashboard: (typeof DASHBOARDS)[number]) =>
  (buildDashboard(dashboard).panels ?? []).filter((panel): panel is Panel => panel.type !== "row");

describe("the dashboards", () => {
  it.each([...dashboardFiles()])(
    "are committed as they are described (`pnpm dashboards` writes them): %s",
    (file, text) => {
      expect(readFileSync(`${ROOT}${file}`, "utf8")).toBe(text);
    },
  );

  it.each(DASHBOARDS)("place their panels side by side, none on another: $title", (dashboard) => {
    const taken = new Set<string>();
    for (const { title, gridPos } of buildDashboard(dashboard).panels as (Panel | RowPanel)[]) {
      const { x, y, w, h } = gridPos ?? { x: 0, y: 0, w: 0, h: 0 };
      expect([title, x + w <= 24]).toEqual([title, true]);
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          expect([title, taken.has(`${column}:${line}`)]).toEqual([title, false]);
          taken.add(`${column}:${line}`);
        }
    }
  });

  it.each(DASHBOARDS)("say what each panel shows, and lead to runbooks that are there: $title", (dashboard) => {
    const panels = panelsOf(dashboard);
    expect(panels.length).toBeGreaterThan(8);
    for (const { title, description = "" } of panels) {
      expect([title, description.length > 20]).toEqual([title, true]);
      for (const [page] of description.matchAll(/docs\/[\w./-]+\.md/g))
        expect([page, existsSync(`${ROOT}${page}`)]).toEqual([page, true]);
    }
  });

  it("ask only for what is chosen at their top", () => {
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

/** `| metric | kind | unit | attributes | … |` */
const ROW = /^\| `([a-z0-9_.]+)` *\| (\w+) *\| `?([^`| ]+)`? *\|([^|]*)\|/gm;
const documented = [...readFileSync(`${ROOT}docs/operations/metrics.md`, "utf8").matchAll(ROW)].map(
  ([, name = "", kind = "", unit = "", attributes = ""]): DescribedInstrument => ({
    name,
    unit,
    kind: KINDS[kind] ?? expect.fail(`${name}: what is a ${kind}?`),
    attributes: [...attributes.matchAll(/`([a-z0-9_.]+)`/g)].map(([, attribute = ""]) => attribute),
  }),
);

describe("the queries of dashboards, rules and runbooks", () => {
  const known = withRecorded(seriesOf(documented));

  it.each([...dashboardQueries(), ...ruleQueries(), ...runbookQueries()])(
    "ask for metrics of docs/operations/metrics.md: $where",
    ({ expression }) => {
      expect(checkQuery(expression, known)).toEqual([]);
    },
  );
});
