import { CompiledQuery, type DatabaseConnection, Kysely, PostgresDialect, sql } from "kysely";
import { type MigrationResultSet, Migrator } from "kysely/migration";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { codeOf } from "../database-error.ts";
import { DatabaseSetupError, explainingFailures } from "../schema/setup-error.ts";
import { appliedMigrations, MIGRATION_LOCK_TABLE, MIGRATION_TABLE } from "./applied-migrations.ts";
import { loadMigrations, migrationNames } from "./migration-files.ts";
import { LOCK_TIMEOUT, withoutLockTimeout } from "./lock-timeout.ts";
import { inTurn } from "./migration-lock.ts";

export interface MigrationStatus {
  readonly name: string;
  readonly appliedAt: Date | undefined;
  /** False for one that the database has and this build has not. */
  readonly isKnown: boolean;
}

/** Every function throws DatabaseSetupError when the database is away, refuses the role, or a migration fails. */
export interface Migrations {
  /**
   * Applies what is missing, each migration in a transaction of its own unless it says otherwise, and says which. Processes that do it
   * at once take turns. A migration that fails leaves those before it applied.
   */
  up(): Promise<string[]>;
  /** Reverts the last one and says which; nothing when none is applied. */
  down(): Promise<string[]>;
  /** By name. */
  status(): Promise<MigrationStatus[]>;
  close(): Promise<void>;
}

export interface MigrationsOptions {
  /** The service's own role, whose search_path leads to its schema. */
  readonly url: string;
  readonly folder: URL;
}

const CONNECT_MS = 5_000;
/** How long a migration that did not get its tables within LOCK_TIMEOUT is tried again, and how long requests have the tables in between. */
const LOCK_PATIENCE_MS = 60_000;
const LOCK_REST_MS = 1_000;
const LOCK_NOT_AVAILABLE = "55P03";

/** The migrations of `folder` against a service's schema, run as the service's own role. */
export function createMigrations({ url, folder }: MigrationsOptions): Migrations {
  const pool = new pg.Pool({
    connectionString: url,
    // One holds the turn, one asks what is there, one migrates.
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

  /** Not once more outside a transaction, where the part that was done stays. */
  async function applyNext(name: string): Promise<string[]> {
    const disableTransactions = await isOutsideTransaction(name);
    const until = performance.now() + LOCK_PATIENCE_MS;
    for (;;) {
      const outcome = await migrator.migrateUp({ disableTransactions });
      const isLocked = codeOf(outcome.error) === LOCK_NOT_AVAILABLE && !disableTransactions;
      if (!isLocked || performance.now() > until) return namesOf(outcome, disableTransactions);
      await pause(LOCK_REST_MS);
    }
  }

  async function upAll(): Promise<string[]> {
    const names: string[] = [];
    // Asked first, because an older build has nothing to do in a schema that is ahead of it, which the migrator calls corrupted.
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

  const changing = (work: () => Promise<string[]>) =>
    explainingFailures(url, async () => {
      await assertOwnSchema(db);
      return await inTurn(pool, work);
    });

  async function status(): Promise<MigrationStatus[]> {
    const [applied, known] = await Promise.all([appliedMigrations(db), migrationNames(folder)]);
    const names = [...new Set([...known, ...applied.keys()])].toSorted();
    return names.map((name) => ({ name, appliedAt: applied.get(name), isKnown: known.includes(name) }));
  }

  return {
    up: () => changing(upAll),
    down: () => changing(downOne),
    status: () => explainingFailures(url, status),
    close: async () => {
      await db.destroy();
      if (!pool.ending) await pool.end();
    },
  };
}

/** The role's limits are for requests. */
async function prepareSession(connection: DatabaseConnection): Promise<void> {
  await connection.executeQuery(
    CompiledQuery.raw(
      `select set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false),
        set_config('lock_timeout', '${LOCK_TIMEOUT}', false)`,
    ),
  );
}

/** Without a search_path of its own the role would put its tables into `public`, or nowhere. */
async function assertOwnSchema(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<{ role: string; mine: boolean | null }>`
    select current_user as role,
      (select pg_get_userbyid(nspowner) = current_user from pg_namespace where nspname = current_schema()) as mine`.execute(
    db,
  );
  if (rows[0]?.mine !== true)
    throw new DatabaseSetupError(
      `the role "${rows[0]?.role}" has no schema of its own: run \`pnpm migrate up\` with DATABASE_URL, the owner's`,
    );
}

function namesOf({ error, results = [] }: MigrationResultSet, isOutsideTransaction: boolean): string[] {
  if (error === undefined) return results.map(({ migrationName }) => migrationName);
  const failed = results.find(({ status }) => status === "Error");
  if (!failed) throw error as Error;
  const reason = error instanceof Error ? error.message : "it threw something that is no error";
  const left = isOutsideTransaction ? "failed and may have left something behind" : "failed and changed nothing";
  throw new DatabaseSetupError(`the migration ${failed.migrationName} ${left}: ${reason}`, { cause: error });
}
