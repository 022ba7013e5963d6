import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Kysely, PostgresDialect } from "kysely";
import {
  type Migration,
  type MigrationProvider,
  type MigrationResult,
  type MigrationResultSet,
  Migrator,
} from "kysely/migration";
import type { Handle } from "./handle.ts";
import { createPool } from "./pool.ts";

const MIGRATION_TABLE = "schema_migrations";
const MIGRATION_LOCK_TABLE = "schema_migrations_lock";
const MIGRATION_FILE = /^\d{8}T\d{4}_\w+\.ts$/;

export interface MigrationStatus {
  readonly name: string;
  readonly appliedAt: Date | undefined;
}

export interface Migrations {
  /** Applies what is missing, each migration in a transaction; answers the names. Replicas that run it at once wait for each other. */
  up(): Promise<string[]>;
  /** Reverts the last one; answers its name. */
  down(): Promise<string[]>;
  status(): Promise<MigrationStatus[]>;
  close(): Promise<void>;
}

/** The migrations in `folder` against a service's schema, run as the service's own role, whose search_path leads there. */
export function createMigrations({ url, folder }: { url: string; folder: URL }): Migrations {
  const pool = createPool({
    url,
    poolSize: 1,
    maxOverflow: 1,
    timeoutSeconds: 30,
    recycleSeconds: 3600,
    applicationName: "gatehouse-migrate",
  });
  const db = new Kysely<never>({ dialect: new PostgresDialect({ pool }) });
  const migrator = new Migrator({
    db,
    provider: filesIn(folder),
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: MIGRATION_LOCK_TABLE,
  });
  return {
    up: async () => namesOf(await migrator.migrateToLatest()),
    down: async () => namesOf(await migrator.migrateDown()),
    async status() {
      const all = await migrator.getMigrations();
      return all.map(({ name, executedAt }) => ({ name, appliedAt: executedAt }));
    },
    close: () => db.destroy(),
  };
}

/**
 * What a service checks before it serves. A schema that is further than this build is fine: migrations only expand
 * while two builds run side by side.
 * @throws Error naming the migrations that are missing, and the command that applies them
 */
export async function assertMigrated<T>(db: Handle<T>, folder: URL): Promise<void> {
  const names = await migrationFiles(folder);
  const applied = new Set(await appliedMigrations(db));
  const missing = names.filter((name) => !applied.has(name));
  if (missing.length > 0)
    throw new Error(`the database lacks the migrations ${missing.join(", ")}: run \`pnpm migrate up\` first`);
}

const UNDEFINED_TABLE = "42P01";

async function appliedMigrations<T>(db: Handle<T>): Promise<string[]> {
  try {
    const rows = await (db as unknown as Kysely<Record<string, { name: string }>>)
      .selectFrom(MIGRATION_TABLE)
      .select("name")
      .execute();
    return rows.map(({ name }) => name);
  } catch (error) {
    if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return [];
    throw error;
  }
}

function filesIn(folder: URL): MigrationProvider {
  return {
    async getMigrations() {
      const names = await migrationFiles(folder);
      const modules = await Promise.all(
        names.map(async (name) => [name, (await import(new URL(`${name}.ts`, folder).href)) as Migration] as const),
      );
      return Object.fromEntries(modules);
    },
  };
}

async function migrationFiles(folder: URL): Promise<string[]> {
  const files = await readdir(fileURLToPath(folder));
  return files
    .filter((file) => MIGRATION_FILE.test(file))
    .map((file) => file.slice(0, -".ts".length))
    .toSorted();
}

/** @throws the error of the migration that failed; those before it stay applied */
function namesOf({ error, results = [] }: MigrationResultSet): string[] {
  const failed = results.find(({ status }: MigrationResult) => status === "Error");
  if (error !== undefined) {
    const where = failed ? `migration ${failed.migrationName}` : "migrations";
    throw new Error(`${where} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return results.map(({ migrationName }) => migrationName);
}
