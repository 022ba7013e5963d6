import "./thread-pool.ts";
import { runProcess } from "@gatehouse/http";
import { buildApp } from "./app.ts";
import { readConfig } from "./config.ts";
import { createDependencies } from "./dependencies.ts";

await runProcess({
  name: "gatehouse-auth",
  start: async (releasers) => {
    const config = readConfig();
    const deps = await createDependencies(config, releasers);
    const app = await buildApp(deps);
    return { app, host: config.host, port: config.port, logger: deps.logger };
  },
});
