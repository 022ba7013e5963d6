import { connectVerifier } from "@gatehouse/access";
import type { Readiness } from "@gatehouse/contracts";
import { createDatabase, waitUntilMigrated } from "@gatehouse/database";
import type { Releasers } from "@gatehouse/http/process";
import { connectBus } from "@gatehouse/messaging";
import { createLogger, startTelemetry } from "@gatehouse/observability";
import type { AuditConfig } from "./config.ts";
import { type AuditTables, MIGRATIONS_FOLDER } from "./db/database.ts";
import { startConsumers } from "./events/consumers.ts";
import { createTrail } from "./services/trail.service.ts";

/**
 * Everything the process is made of, put together. Starts and works while NATS and auth are away; the database and its
 * migrations are waited for. What is acquired is added to `releasers` at once.
 */
export async function createDependencies(config: AuditConfig, releasers: Releasers) {
  const service = "gatehouse-audit-log";
  const logger = createLogger({
    service,
    level: config.logLevel,
    pretty: config.environment === "development",
    exported: config.telemetry.logs,
  });
  const telemetry = await startTelemetry({ service, settings: config.telemetry, logger });
  releasers.add("telemetry", () => telemetry.close());
  const database = createDatabase<AuditTables>({
    ...config.database,
    applicationName: service,
    schema: "audit",
    logger,
    echo: config.debug,
  });
  releasers.add("database", () => database.close());
  await waitUntilMigrated(database.db, MIGRATIONS_FOLDER, logger);
  const bus = connectBus({ url: config.natsUrl, name: service, logger });
  releasers.add("bus", () => bus.close());
  const verifier = connectVerifier({ bus, logger, ...config.verifier });
  releasers.add("verifier", () => verifier.close());
  const trail = createTrail(database.db);
  for (const consumer of startConsumers({ bus, trail, logger })) releasers.add("consumer", () => consumer.close());

  /** Ready: able to tell good tokens from revoked ones. What fails later shows in the checks, not in the status. */
  async function readiness(): Promise<Readiness> {
    const isReachable = database.ping().then(
      () => true,
      () => false,
    );
    return {
      status: (await verifier.ready()) ? "ready" : "unready",
      checks: {
        database: (await isReachable) ? "healthy" : "unhealthy",
        nats: bus.isConnected() ? "healthy" : "unhealthy",
      },
    };
  }

  return { logger, trail, verify: (token: string) => verifier.verify(token), readiness };
}
