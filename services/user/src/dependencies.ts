import { createRefreshCookie } from "@gatehouse/http";
import type { Releasers } from "@gatehouse/http/process";
import { createTransact } from "@gatehouse/messaging";
import { createServiceKit } from "@gatehouse/service-kit";
import { createAccountClient } from "./clients/account.client.ts";
import type { UserConfig } from "./config.ts";
import { MIGRATIONS_FOLDER, type UserTables } from "./db/database.ts";
import { startConsumers } from "./events/consumers.ts";
import { cleanUp } from "./jobs/clean-up.job.ts";
import { createAdminService } from "./services/admin.service.ts";
import { createProfileService } from "./services/profile.service.ts";
import { createUserRecordService } from "./services/user-record.service.ts";
import { createUserWriter } from "./services/user-writer.service.ts";

const CLEAN_UP_SECONDS = 3600;

/** Wires the user service. It starts and works while NATS and auth are down. Adds everything that must be released to `releasers`. */
export async function createDependencies(config: UserConfig, releasers: Releasers) {
  const kit = await createServiceKit({ name: "gatehouse-user", config, releasers });
  const { logger } = kit;
  const database = await kit.openDatabase<UserTables>({
    ...config.database,
    schema: "users",
    migrations: MIGRATIONS_FOLDER,
  });
  const bus = kit.openBus(config.bus.url);
  const accounts = createAccountClient({ urls: config.authUrls, token: config.internalToken, logger });
  kit.release("account client", () => accounts.close());
  const verifier = kit.openVerifier({ bus, ...config.verifier });
  const relay = kit.openRelay({
    database,
    bus,
    stream: "user",
    streamReplicas: config.bus.replicas,
    accessTokenSeconds: config.verifier.lifetimeSeconds,
  });

  const transact = createTransact<UserTables>({ db: database.db, relay });
  const records = createUserRecordService({ transact });
  const writer = createUserWriter({ accounts, records, now: () => new Date() });
  const consumers = startConsumers({ bus, records, replicas: config.bus.replicas, logger });
  kit.release("consumers", () => consumers.close());
  kit.startJob({
    name: "clean-up",
    everySeconds: CLEAN_UP_SECONDS,
    first: "now",
    run: () => cleanUp(database.db, new Date()),
  });

  return {
    logger,
    database,
    bus,
    transact,
    records,
    profiles: createProfileService({ db: database.db, writer }),
    admin: createAdminService({ db: database.db, writer }),
    verify: (token: string) => verifier.verify(token),
    cookie: createRefreshCookie({ secure: config.secureCookies }),
    readiness: kit.readiness,
  };
}
