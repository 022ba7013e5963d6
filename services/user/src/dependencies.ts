import { connectVerifier, type Verifier } from "@gatehouse/access";
import { type Readiness, STREAMS } from "@gatehouse/contracts";
import { createDatabase, type Database, waitUntilMigrated } from "@gatehouse/database";
import type { Releasers } from "@gatehouse/http/process";
import { type Bus, connectBus, createTransact, startRelay } from "@gatehouse/messaging";
import { createLogger, type Logger, startTelemetry } from "@gatehouse/observability";
import { createAccountClient } from "./clients/account.client.ts";
import type { UserConfig } from "./config.ts";
import { MIGRATIONS_FOLDER, type UserTables } from "./db/database.ts";
import { startConsumers } from "./events/consumers.ts";
import { cleanUp } from "./jobs/clean-up.job.ts";
import { schedule } from "./jobs/schedule.ts";
import { createAdminService } from "./services/admin.service.ts";
import { createProfileService } from "./services/profile.service.ts";
import { createUserRecordService } from "./services/user-record.service.ts";
import { createUserWriter } from "./services/user-writer.service.ts";

const HOUR_MILLISECONDS = 3_600_000;
/** Published rows outlive every access token, whose revocations a recreated stream must be told again. */
const OUTBOX_MARGIN_SECONDS = 300;

/**
 * Everything the process is made of, put together. Starts and works while NATS and auth are away; the database and its migrations
 * are waited for. What is acquired is added to `releasers` at once.
 */
export async function createDependencies(config: UserConfig, releasers: Releasers) {
  const logger = createLogger({
    service: "gatehouse-user",
    level: config.logLevel,
    pretty: config.environment === "development",
    exported: config.telemetry.logs,
  });
  const telemetry = await startTelemetry({ service: "gatehouse-user", settings: config.telemetry, logger });
  releasers.add("telemetry", () => telemetry.close());
  const database = connectDatabase(config, logger);
  releasers.add("database", () => database.close());
  await waitUntilMigrated(database.db, MIGRATIONS_FOLDER, logger);

  const bus = connectBus({ url: config.bus.url, name: "gatehouse-user", logger });
  releasers.add("bus", () => bus.close());
  const accounts = createAccountClient({ urls: config.authUrls, token: config.internalToken, logger });
  releasers.add("account client", () => accounts.close());
  const verifier = connectVerifier({
    bus,
    authUrls: config.authUrls,
    introspectionToken: config.introspectionToken,
    logger,
    ...config.tokens,
  });
  releasers.add("verifier", () => verifier.close());
  const relay = startRelay({
    db: database.db,
    bus,
    stream: STREAMS.user,
    replicas: config.bus.replicas,
    logger,
    retentionSeconds: config.tokens.lifetimeSeconds + OUTBOX_MARGIN_SECONDS,
  });
  releasers.add("relay", () => relay.close());

  const transact = createTransact<UserTables>({ db: database.db, relay });
  const records = createUserRecordService({ transact });
  const writer = createUserWriter({ accounts, records, now: () => new Date() });
  const consumers = startConsumers({ bus, records, replicas: config.bus.replicas, logger });
  releasers.add("consumers", () => consumers.close());
  const job = () => cleanUp(database.db, new Date());
  const cleaning = schedule("clean-up", job, { everyMilliseconds: HOUR_MILLISECONDS, logger });
  releasers.add("clean-up", () => cleaning.close());

  return {
    logger,
    database,
    bus,
    transact,
    records,
    profiles: createProfileService({ db: database.db, writer }),
    admin: createAdminService({ db: database.db, writer }),
    verify: (token: string) => verifier.verify(token),
    secureCookies: config.secureCookies,
    readiness: () => checkReadiness({ database, bus, verifier }),
  };
}

function connectDatabase(config: UserConfig, logger: Logger): Database<UserTables> {
  return createDatabase<UserTables>({
    ...config.database,
    applicationName: "gatehouse-user",
    schema: "users",
    logger,
    echo: config.debug,
  });
}

interface Checked {
  readonly database: Database<UserTables>;
  readonly bus: Bus;
  readonly verifier: Verifier;
}

/** Ready: started, and able to tell good tokens from revoked ones. What fails later shows in the checks, not in the status. */
async function checkReadiness({ database, bus, verifier }: Checked): Promise<Readiness> {
  const [answers, verifies] = await Promise.all([
    database.ping().then(
      () => true,
      () => false,
    ),
    verifier.ready(),
  ]);
  return {
    status: verifies ? "ready" : "unready",
    checks: { database: answers ? "healthy" : "unhealthy", nats: bus.isConnected() ? "healthy" : "unhealthy" },
  };
}
