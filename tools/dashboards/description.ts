/** A dashboard as we write it; build-dashboard.ts makes Grafana's JSON of it. */
export interface DashboardDescription {
  /** Of its file, and of its address in Grafana after `gatehouse-`. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly RowDescription[];
}

export interface RowDescription {
  readonly title: string;
  readonly panels: readonly PanelDescription[];
}

export type PanelDescription = GraphDescription | TableDescription | LogsDescription;

interface Described {
  readonly title: string;
  /** What it shows, and what good looks like. */
  readonly description: string;
  /** The page of docs/operations/runbooks for when it does not. */
  readonly runbook?: string;
  /** Of the 24 columns; by default a third. */
  readonly width?: number;
}

interface QueryDescription {
  /** PromQL, see promql.ts. */
  readonly query: string;
  /** Labels in double braces. */
  readonly legend: string;
}

/** Units by Grafana's names: seconds, a share from 0 to 1, bytes, per second, plain numbers. */
type PanelUnit = "s" | "percentunit" | "bytes" | "reqps" | "ops" | "short";

export interface GraphDescription extends Described {
  readonly type: "graph";
  readonly unit: PanelUnit;
  readonly queries: readonly QueryDescription[];
  /** Where it begins to be bad: a red line. */
  readonly bad?: number;
  /** One area on top of the other, for shares of a whole. */
  readonly stacked?: boolean;
}

/** What is so now, one line a series. */
interface TableDescription extends Described {
  readonly type: "table";
  readonly unit: PanelUnit;
  readonly query: string;
}

interface LogsDescription extends Described {
  readonly type: "logs";
  /** LogQL. */
  readonly query: string;
}
