import { AUTH } from "./auth.dashboard.ts";
import { buildDashboard } from "./build-dashboard.ts";
import { MESSAGING } from "./messaging.dashboard.ts";
import { OVERVIEW } from "./overview.dashboard.ts";

export const DASHBOARDS = [OVERVIEW, AUTH, MESSAGING] as const;

/** The dashboards as Grafana loads them, by path from the root. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map(
    DASHBOARDS.map((dashboard) => [
      `deploy/observability/grafana/dashboards/${dashboard.name}.json`,
      `${JSON.stringify(buildDashboard(dashboard), null, 2)}\n`,
    ]),
  );
}
