import { assertMigrated, createDatabase } from "@gatehouse/database";
import { createTransact } from "@gatehouse/messaging";
import { readConfig } from "./config.ts";
import { type AuthTables, MIGRATIONS_FOLDER } from "./db/database.ts";
import { createAdminService } from "./services/accounts/admin.service.ts";
import { createDeletionService } from "./services/accounts/deletion.service.ts";
import { createKeyService } from "./services/keys/key.service.ts";
import { createMaintenanceService } from "./services/sessions/maintenance.service.ts";
import { createPasswordChangeService } from "./services/passwords/password-change.service.ts";
import { createPasswordHasher } from "./services/passwords/password-hasher.ts";

export type AuthOperations = Awaited<ReturnType<typeof openOperations>>;

/**
 * Returns auth's operations for operators. They use auth's schema and environment and need no running auth: events wait in
 * the outbox until an auth process publishes them.
 * @throws ConfigError, DatabaseSetupError when the schema does not match this build
 */
export async function openOperations(environment: NodeJS.ProcessEnv, now = () => new Date()) {
  const config = readConfig(environment);
  const database = createDatabase<AuthTables>({ ...config.database, applicationName: "gatehouse-auth-operations" });
  try {
    await assertMigrated(database.db, MIGRATIONS_FOLDER);
  } catch (error) {
    await database.close();
    throw error;
  }
  const { db } = database;
  // A running auth publishes the outbox within a second.
  const transact = createTransact({ db });
  const hasher = await createPasswordHasher(config.hashing);
  const keys = createKeyService({ database, transact, config: config.tokens, now });
  const passwords = createPasswordChangeService({ db, transact, hasher, now });
  const deletions = createDeletionService({ transact, passwords, retentionDays: config.softDeleteRetentionDays, now });
  const { reuseGraceSeconds } = config.tokens;
  const maintenance = createMaintenanceService({ database, deletions, keys, reuseGraceSeconds, now });
  return {
    createAdmin: createAdminService({ transact, hasher }).create,
    cleanUpTokens: () => maintenance.cleanUpTokens(),

    /** Returns the keys that verify, latest `signsFrom` first, without private keys. */
    async listKeys() {
      const stored = await keys.list();
      const signing = stored.find(({ signsFrom }) => signsFrom <= now());
      return stored.map(({ algorithm, createdAt, kid, signsFrom }) => {
        const isNext = signsFrom > now();
        const state = isNext ? "next" : kid === signing?.kid ? "signing" : "verifying";
        return { kid, algorithm, state, createdAt, signsFrom } as const;
      });
    },

    /**
     * Rotates like KeyService.rotate, after checking that JWT_SECRET_KEY opens the existing keys: a key sealed under another
     * secret would prevent every auth process from loading its keys.
     * @returns undefined when no key exists; auth creates the first one when it starts
     */
    async rotateKeys(options: { readonly soon: boolean }) {
      if ((await keys.list()).length === 0) return undefined;
      await keys.reload();
      return keys.rotate(options);
    },

    /** Reseals like KeyService.reseal, and returns also the number of keys. */
    async resealKeys() {
      const resealed = await keys.reseal();
      return { keys: (await keys.list()).length, resealed };
    },

    retireKey: (kid: string) => keys.retire(kid),

    close: () => database.close(),
  };
}
