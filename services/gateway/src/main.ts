import { runProcess } from "@gatehouse/http";
import { buildApp } from "./app.ts";
import { readConfig } from "./config.ts";
import { createDependencies } from "./dependencies.ts";

await runProcess({
  name: "gatehouse-gateway",
  async start(releasers) {
    const config = readConfig();
    const dependencies = await createDependencies(config, releasers);
    return {
      app: await buildApp(dependencies),
      host: config.host,
      port: config.port,
      logger: dependencies.logger,
    };
  },
});
