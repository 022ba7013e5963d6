// `pnpm dashboards`: Grafana's dashboards from their descriptions in tools/dashboards. See --help.
import { dashboardFiles } from "./dashboard-files.ts";
import { runGenerator } from "../check/generate/generated-files.ts";

await runGenerator({
  name: "dashboards",
  what: "the dashboards in deploy/observability/grafana/dashboards from their descriptions in tools/dashboards",
  source: "the descriptions in tools/dashboards",
  files: dashboardFiles,
});
