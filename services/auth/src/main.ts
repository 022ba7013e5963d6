import { runService } from "@gatehouse/service-kit/run";
import manifest from "../package.json" with { type: "json" };
import { readConfig } from "./config.ts";
import { sizeThreadPool } from "./services/passwords/thread-pool.ts";

sizeThreadPool();
await runService({
  manifest,
  readConfig,
  load: async () => ({ ...(await import("./app.ts")), ...(await import("./dependencies.ts")) }),
});
