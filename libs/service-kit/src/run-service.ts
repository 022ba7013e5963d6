import type { App } from "@gatehouse/http";
import { type ProcessConfig, type Releasers, runProcess } from "@gatehouse/http/process";
import type { Logger } from "@gatehouse/observability";

interface ServiceConfig extends ProcessConfig {
  readonly host: string;
  readonly port: number;
}

interface ServiceModules<Config, Dependencies> {
  createDependencies(config: Config, releasers: Releasers): Promise<Dependencies>;
  buildApp(deps: Dependencies): App | Promise<App>;
}

interface RunServiceDeps<Config, Dependencies> {
  /** The package's name and version: `@gatehouse/auth` runs as `gatehouse-auth`. */
  readonly manifest: { readonly name: string; readonly version: string };
  /** @throws ConfigError */
  readConfig(): Config;
  /** Imports the service's code. A supervisor of workers never calls it, and so does not load that code. */
  load(): Promise<ServiceModules<Config, Dependencies>>;
}

/** Runs a service as this process until a signal ends it. */
export async function runService<Config extends ServiceConfig, Dependencies extends { readonly logger: Logger }>({
  manifest,
  readConfig,
  load,
}: RunServiceDeps<Config, Dependencies>): Promise<void> {
  await runProcess({
    name: serviceName(manifest.name),
    version: manifest.version,
    readConfig,
    async start(config, releasers) {
      const { createDependencies, buildApp } = await load();
      const deps = await createDependencies(config, releasers);
      return { app: await buildApp(deps), host: config.host, port: config.port, logger: deps.logger };
    },
  });
}

/** Returns the name for logs, traces and connections: `gatehouse-auth` for the package `@gatehouse/auth`. */
function serviceName(packageName: string): string {
  return packageName.replace("@", "").replace("/", "-");
}
