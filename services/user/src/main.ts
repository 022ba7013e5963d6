import { runProcess } from "@gatehouse/http/process";
import manifest from "../package.json" with { type: "json" };
import { readConfig } from "./config.ts";

await runProcess({
  name: "gatehouse-user",
  version: manifest.version,
  readConfig,
  async start(config, releasers) {
    const [{ buildApp }, { createDependencies }] = await Promise.all([import("./app.ts"), import("./dependencies.ts")]);
    const deps = await createDependencies(config, releasers);
    return { app: await buildApp(deps), host: config.host, port: config.port, logger: deps.logger };
  },
});
