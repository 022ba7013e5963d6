import { CompiledQuery, type DatabaseConnection, Kysely, PostgresDialect, sql } from "kysely";
import { type MigrationResultSet, Migrator } from "kysely/migration";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { codeOf } from "../database-error.ts";
import { DatabaseSetupError, explainingFailures } from "../schema/setup-error.ts";
import { appliedMigrations, MIGRATION_LOCK_TABLE, MIGRATION_TABLE } from "./applied-migrations.ts";
import { loadMigrations, migrationNames } from "./migration-files.ts";
import { LOCK_TIMEOUT, withoutLockTimeout } from "./lock-timeout.ts";
import { withMigrationLock } from "./migration-lock.ts";

export interface MigrationStatus {
  readonly name: string;
  readonly appliedAt: Date | undefined;
  /** False for a migration that the database has but this build does not. */
  readonly isKnown: boolean;
}

/** Every function throws DatabaseSetupError when the database is down, rejects the role, or a migration fails. */
export interface Migrations {
  /**
   * Applies missing migrations and returns their names. Each runs in its own transaction unless it opts out. Concurrent processes take
   * turns. A failed migration leaves earlier ones applied.
   */
  up(): Promise<string[]>;
  /** Reverts the last migration and returns its name; returns an empty list when none is applied. */
  down(): Promise<string[]>;
  /** Returns all migrations, sorted by name. */
  status(): Promise<MigrationStatus[]>;
  close(): Promise<void>;
}

export interface MigrationsDeps {
  /** The URL with the service's own role, whose search_path is its schema. */
  readonly url: string;
  readonly folder: URL;
}

const CONNECT_MS = 5_000;
/** How long a migration that did not get its locks within LOCK_TIMEOUT is retried, and the pause in between for waiting requests. */
const LOCK_RETRY_MS = 60_000;
const LOCK_PAUSE_MS = 1_000;
const LOCK_NOT_AVAILABLE = "55P03";

/** Returns the migrations of `folder`, which run as the service's own role in its schema. */
export function createMigrations({ url, folder }: MigrationsDeps): Migrations {
  const pool = new pg.Pool({
    connectionString: url,
    // One connection holds the lock, one reads the applied migrations, one migrates.
    max: 3,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: "gatehouse-migrate",
  });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const db = new Kysely<never>({
    dialect: new PostgresDialect({ pool, onCreateConnection: prepareSession }),
  });
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => withoutLockTimeout(await loadMigrations(folder)) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: MIGRATION_LOCK_TABLE,
  });

  async function pending(): Promise<string[]> {
    const applied = await appliedMigrations(db);
    return (await migrationNames(folder)).filter((name) => !applied.has(name));
  }

  async function isOutsideTransaction(name: string | undefined): Promise<boolean> {
    return (await loadMigrations(folder))[name ?? ""]?.inTransaction === false;
  }

  /** Retries only inside a transaction; outside one, finished parts stay. */
  async function applyNext(name: string): Promise<string[]> {
    const disableTransactions = await isOutsideTransaction(name);
    const until = performance.now() + LOCK_RETRY_MS;
    for (;;) {
      const outcome = await migrator.migrateUp({ disableTransactions });
      const isLocked = codeOf(outcome.error) === LOCK_NOT_AVAILABLE && !disableTransactions;
      if (!isLocked || performance.now() > until) return namesOf(outcome, disableTransactions);
      await pause(LOCK_PAUSE_MS);
    }
  }

  async function upAll(): Promise<string[]> {
    const names: string[] = [];
    // Checked first: the migrator calls a newer schema corrupted, where an older build has nothing to do.
    for (let [next] = await pending(); next !== undefined; [next] = await pending())
      names.push(...(await applyNext(next)));
    return names;
  }

  async function downOne(): Promise<string[]> {
    const last = [...(await appliedMigrations(db)).keys()].toSorted().at(-1);
    if (last === undefined) return [];
    const disableTransactions = await isOutsideTransaction(last);
    return namesOf(await migrator.migrateDown({ disableTransactions }), disableTransactions);
  }

  const migrate = (work: () => Promise<string[]>) =>
    explainingFailures(url, async () => {
      await assertOwnSchema(db);
      return await withMigrationLock(pool, work);
    });

  async function status(): Promise<MigrationStatus[]> {
    const [applied, known] = await Promise.all([appliedMigrations(db), migrationNames(folder)]);
    const names = [...new Set([...known, ...applied.keys()])].toSorted();
    return names.map((name) => ({ name, appliedAt: applied.get(name), isKnown: known.includes(name) }));
  }

  return {
    up: () => migrate(upAll),
    down: () => migrate(downOne),
    status: () => explainingFailures(url, status),
    close: async () => {
      await db.destroy();
      if (!pool.ending) await pool.end();
    },
  };
}

/** Lifts the role's limits, which are for requests. */
async function prepareSession(connection: DatabaseConnection): Promise<void> {
  await connection.executeQuery(
    CompiledQuery.raw(
      `select set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false),
        set_config('lock_timeout', '${LOCK_TIMEOUT}', false)`,
    ),
  );
}

/** Without its own search_path the role would create its tables in `public`, or fail. */
async function assertOwnSchema(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<{ role: string; mine: boolean | null }>`
    select current_user as role,
      (select pg_get_userbyid(nspowner) = current_user from pg_namespace where nspname = current_schema()) as mine`.execute(
    db,
  );
  if (rows[0]?.mine !== true)
    throw new DatabaseSetupError(
      `the role "${rows[0]?.role}" has no schema of its own: run \`pnpm migrate up\` with DATABASE_URL set to the owner's URL`,
    );
}

function namesOf({ error, results = [] }: MigrationResultSet, isOutsideTransaction: boolean): string[] {
  if (error === undefined) return results.map(({ migrationName }) => migrationName);
  const failed = results.find(({ status }) => status === "Error");
  if (!failed) throw error as Error;
  const reason = error instanceof Error ? error.message : "it threw a value that is not an error";
  const left = isOutsideTransaction ? "failed and may have left something behind" : "failed and changed nothing";
  throw new DatabaseSetupError(`the migration ${failed.migrationName} ${left}: ${reason}`, { cause: error });
}
