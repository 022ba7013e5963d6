import {
  type Dashboard,
  DashboardCursorSync,
  type Panel,
  type RowPanel,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
  type VariableModel,
} from "@grafana/schema";
import type { DashboardDescription, GraphDescription, PanelDescription, RowDescription } from "./description.ts";

// As in deploy/observability/grafana/provisioning/datasources.
const PROMETHEUS = { type: "prometheus", uid: "prometheus" };
const LOKI = { type: "loki", uid: "loki" };

const COLUMNS = 24;
const PANEL = { width: 8, height: 8 };
/** The kind of query by which Grafana fills a variable from `label_values(…)`. */
const LABEL_VALUES = 1;

/** The version of the JSON that these panels are written in; Grafana migrates older ones when it loads them. */
const SCHEMA_VERSION = 42;

/** Grafana's JSON of a dashboard; ids and places follow from the order, so the same description gives the same text. */
export function buildDashboard({ name, title, description, rows }: DashboardDescription): Dashboard {
  return {
    uid: `gatehouse-${name}`,
    title,
    description,
    tags: ["gatehouse"],
    schemaVersion: SCHEMA_VERSION,
    editable: false,
    graphTooltip: DashboardCursorSync.Crosshair,
    refresh: "1m",
    time: { from: "now-1h", to: "now" },
    timezone: "browser",
    links: [linkToOthers()],
    templating: {
      list: [
        variable("service", "Service", "label_values(nodejs_eventloop_utilization_ratio, job)"),
        variable("instance", "Instance", 'label_values(nodejs_eventloop_utilization_ratio{job=~"$service"}, instance)'),
      ],
    },
    panels: layOut(rows),
  };
}

function linkToOthers() {
  return {
    type: "dashboards" as const,
    title: "Gatehouse",
    tags: ["gatehouse"],
    icon: "external link",
    tooltip: "",
    asDropdown: false,
    includeVars: true,
    keepTime: true,
    targetBlank: false,
  };
}

function variable(name: string, label: string, definition: string): VariableModel {
  return {
    type: "query",
    name,
    label,
    datasource: PROMETHEUS,
    query: { qryType: LABEL_VALUES, query: definition, refId: name },
    refresh: VariableRefresh.onTimeRangeChanged,
    sort: VariableSort.alphabeticalAsc,
    includeAll: true,
    multi: true,
    allValue: ".+",
    current: { text: ["All"], value: ["$__all"] },
  };
}

/** Row by row, panels side by side as far as they fit. */
function layOut(rows: readonly RowDescription[]): (Panel | RowPanel)[] {
  const panels: (Panel | RowPanel)[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      type: "row",
      id: panels.length + 1,
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y += 1;
    let x = 0;
    for (const description of row.panels) {
      const { width = PANEL.width } = description;
      if (x + width > COLUMNS) {
        x = 0;
        y += PANEL.height;
      }
      panels.push({
        ...panel(description),
        id: panels.length + 1,
        gridPos: { x, y, w: width, h: PANEL.height },
      });
      x += width;
    }
    y += PANEL.height;
  }
  return panels;
}

function panel(description: PanelDescription): Panel {
  const { title, runbook } = description;
  const hint = runbook === undefined ? "" : `\n\nRunbook: docs/operations/runbooks/${runbook}.md`;
  const described = { title, description: `${description.description}${hint}`, transparent: false };
  switch (description.type) {
    case "graph":
      return { ...described, ...graph(description) };
    case "table":
      return {
        ...described,
        type: "table",
        datasource: PROMETHEUS,
        targets: [target({ expr: description.query, format: "table", instant: true, range: false })],
        transformations: [{ id: "organize", options: { excludeByName: { Time: true, __name__: true } } }],
        fieldConfig: { defaults: { unit: description.unit }, overrides: [] },
      };
    case "logs":
      return {
        ...described,
        type: "logs",
        datasource: LOKI,
        targets: [{ refId: "A", datasource: LOKI, expr: description.query }],
        options: { showTime: true, wrapLogMessage: true, enableLogDetails: true, sortOrder: "Descending" },
      };
  }
}

function graph({ unit, queries, bad, stacked = false }: GraphDescription): Partial<Panel> & Pick<Panel, "type"> {
  const green = { color: "green", value: null };
  return {
    type: "timeseries",
    datasource: PROMETHEUS,
    targets: queries.map(({ query, legend }, index) => target({ expr: query, legendFormat: legend }, index)),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(unit === "percentunit" && { max: 1 }),
        thresholds: {
          mode: ThresholdsMode.Absolute,
          steps: bad === undefined ? [green] : [green, { color: "red", value: bad }],
        },
        custom: {
          drawStyle: "line",
          fillOpacity: stacked ? 30 : 0,
          showPoints: "never",
          stacking: { mode: stacked ? "normal" : "none" },
          thresholdsStyle: { mode: bad === undefined ? "off" : "line" },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: "table", placement: "bottom", showLegend: true, calcs: ["lastNotNull", "max"] },
      tooltip: { mode: "multi", sort: "desc" },
    },
  };
}

/** A query to Prometheus, as its data source has it. */
function target(query: Readonly<Record<string, unknown>>, index = 0): Record<string, unknown> {
  return { refId: "ABCDEFGH".charAt(index), datasource: PROMETHEUS, ...query };
}
