// `pnpm dashboards`: Grafana's dashboards from their descriptions in scripts/dashboards. See --help.
import { dashboardFiles } from "./dashboards/dashboard-files.ts";
import { runGenerator } from "./generate/generated-files.ts";

await runGenerator({
  name: "dashboards",
  what: "the dashboards in deploy/observability/grafana/dashboards from their descriptions in scripts/dashboards",
  source: "the descriptions in scripts/dashboards",
  files: dashboardFiles,
});
