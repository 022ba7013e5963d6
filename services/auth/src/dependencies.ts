import type { Database } from "@gatehouse/database";
import type { Releasers } from "@gatehouse/http/process";
import { createTransact, type Relay } from "@gatehouse/messaging";
import { createServiceKit } from "@gatehouse/service-kit";
import type { AuthConfig } from "./config.ts";
import { type AuthTables, MIGRATIONS_FOLDER } from "./db/database.ts";
import { startConsumers } from "./events/consumers.ts";
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
import { createRevocationMetric } from "./services/sessions/session-metrics.ts";
import { createSessionService } from "./services/sessions/session.service.ts";

const KEYS_RELOAD_SECONDS = 30;
const MAINTENANCE_SECONDS = 60;

export type Dependencies = Awaited<ReturnType<typeof createDependencies>>;

/** Wires the auth service. Adds everything that must be released to `releasers`. */
export async function createDependencies(config: AuthConfig, releasers: Releasers, now = () => new Date()) {
  const kit = await createServiceKit({ name: "gatehouse-auth", config, releasers });
  const { logger } = kit;
  const database = await kit.openDatabase<AuthTables>({
    ...config.database,
    schema: "auth",
    migrations: MIGRATIONS_FOLDER,
  });
  const bus = kit.openBus(config.bus.url);
  const relay = kit.openRelay({
    database,
    bus,
    stream: "auth",
    streamReplicas: config.bus.replicas,
    accessTokenSeconds: config.tokens.accessTokenSeconds,
    watermarks: { source: "auth" },
  });

  const services = await createServices({ config, database, relay, now });
  await services.keys.prepare();
  await services.keys.retireSuperseded();
  if (config.firstAdmin) await ensureFirstAdmin({ ...services, db: database.db, logger }, config.firstAdmin);

  for (const consumer of startConsumers({ bus, db: database.db, logger, replicas: config.bus.replicas }))
    kit.release("consumer", () => consumer.close());
  kit.startJob({ name: "keys", everySeconds: KEYS_RELOAD_SECONDS, run: () => services.keys.reload() });
  kit.startJob({ name: "maintenance", everySeconds: MAINTENANCE_SECONDS, run: () => services.maintenance.run() });

  return { config, logger, database, services, readiness: kit.readiness };
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
