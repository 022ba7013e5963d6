import type { Readiness } from "@gatehouse/contracts";
import { STREAMS } from "@gatehouse/contracts";
import { createDatabase, type Database, waitUntilMigrated } from "@gatehouse/database";
import type { Releasers } from "@gatehouse/http/process";
import { type Bus, connectBus, createTransact, type Relay, startRelay } from "@gatehouse/messaging";
import { createLogger, startTelemetry } from "@gatehouse/observability";
import type { AuthConfig } from "./config.ts";
import { type AuthTables, MIGRATIONS_FOLDER } from "./db/database.ts";
import { startConsumers } from "./events/consumers.ts";
import { startPeriodic } from "./periodic.ts";
import { createAccessTokenService } from "./services/sessions/access-token.service.ts";
import { createAccountService } from "./services/accounts/account.service.ts";
import { createDeletionService } from "./services/accounts/deletion.service.ts";
import { ensureFirstAdmin } from "./services/accounts/first-admin.service.ts";
import { createIntrospectionService } from "./services/sessions/introspection.service.ts";
import { createKeyService } from "./services/keys/key.service.ts";
import { createLoginService } from "./services/sessions/login.service.ts";
import { createMaintenanceService } from "./services/sessions/maintenance.service.ts";
import { createPasswordChangeService } from "./services/passwords/password-change.service.ts";
import { createPasswordHasher } from "./services/passwords/password-hasher.ts";
import { createRefreshService } from "./services/sessions/refresh.service.ts";
import { createRevocationMetric } from "./services/sessions/revocation-metric.ts";
import { createSessionService } from "./services/sessions/session.service.ts";

const KEYS_RELOAD_SECONDS = 30;
const MAINTENANCE_SECONDS = 60;
/** The outbox keeps published events as long as a token lives, and this, to publish them again to a stream made anew. */
const OUTBOX_MARGIN_SECONDS = 300;

export type Dependencies = Awaited<ReturnType<typeof createDependencies>>;

/** Builds everything the auth service is made of; what must be given back is pushed on `releasers`. */
export async function createDependencies(config: AuthConfig, releasers: Releasers, now = () => new Date()) {
  const logger = createLogger({
    service: "gatehouse-auth",
    level: config.logLevel,
    pretty: config.environment === "development",
    exported: config.telemetry.logs,
  });
  const telemetry = await startTelemetry({ service: "gatehouse-auth", settings: config.telemetry, logger });
  releasers.add("telemetry", () => telemetry.close());

  const database = createDatabase<AuthTables>({
    ...config.database,
    applicationName: "gatehouse-auth",
    schema: "auth",
    logger,
    echo: config.debug,
  });
  releasers.add("database", () => database.close());
  await waitUntilMigrated(database.db, MIGRATIONS_FOLDER, logger);

  const bus = connectBus({ url: config.bus.url, name: "gatehouse-auth", logger });
  releasers.add("bus", () => bus.close());

  const relay = startRelay({
    db: database.db,
    bus,
    stream: STREAMS.auth,
    replicas: config.bus.replicas,
    logger,
    retentionSeconds: config.tokens.accessSeconds + OUTBOX_MARGIN_SECONDS,
    watermarks: { source: "auth" },
  });
  releasers.add("relay", () => relay.close());

  const services = await createServices({ config, database, relay, now });
  await services.keys.prepare();
  await services.keys.retireSuperseded();
  if (config.firstAdmin) await ensureFirstAdmin({ ...services, db: database.db, logger }, config.firstAdmin);

  for (const consumer of startConsumers({ bus, db: database.db, logger, replicas: config.bus.replicas }))
    releasers.add("consumer", () => consumer.close());
  const jobs = [
    startPeriodic({ name: "keys", seconds: KEYS_RELOAD_SECONDS, run: () => services.keys.reload(), logger }),
    startPeriodic({ name: "maintenance", seconds: MAINTENANCE_SECONDS, run: () => services.maintenance.run(), logger }),
  ];
  for (const job of jobs) releasers.add("job", () => job.stop());

  return { config, logger, database, services, readiness: readinessOf(database, bus) };
}

interface ServicesDeps {
  readonly config: AuthConfig;
  readonly database: Database<AuthTables>;
  readonly relay: Relay;
  readonly now: () => Date;
}

async function createServices({ config, database, relay, now }: ServicesDeps) {
  const { db } = database;
  const countRevocations = createRevocationMetric();
  const transact = createTransact({
    db,
    relay: {
      wake(committed = []) {
        countRevocations(committed);
        relay.wake(committed);
      },
    },
  });
  const hasher = await createPasswordHasher(config.hashing);
  const keys = createKeyService({ database, transact, config: config.tokens, now });
  const accessTokens = createAccessTokenService({ db, keys, config: config.tokens });
  const passwords = createPasswordChangeService({ db, transact, hasher, now });
  const deletions = createDeletionService({ transact, passwords, retentionDays: config.softDeleteRetentionDays, now });
  const { reuseGraceSeconds } = config.tokens;
  return {
    transact,
    hasher,
    keys,
    accessTokens,
    passwords,
    deletions,
    logins: createLoginService({ db, hasher, accessTokens, relay, config: config.tokens, now }),
    refreshes: createRefreshService({ db, transact, accessTokens, config: config.tokens, now }),
    sessions: createSessionService({ db, transact }),
    accounts: createAccountService({ db, transact, hasher, now }),
    introspection: createIntrospectionService({ db }),
    maintenance: createMaintenanceService({ database, deletions, keys, reuseGraceSeconds, now }),
  };
}

/**
 * Ready from the end of the start on. A dependency that fails later shows in `checks`, not in readiness,
 * or one blip of the database would take every replica away at once (design, Ready).
 */
function readinessOf(database: Database<AuthTables>, bus: Bus): () => Promise<Readiness> {
  return async () => {
    const reachable = await database.ping().then(
      () => true,
      () => false,
    );
    return {
      status: "ready",
      checks: {
        database: reachable ? "healthy" : "unhealthy",
        nats: bus.isConnected() ? "healthy" : "unhealthy",
      },
    };
  };
}
