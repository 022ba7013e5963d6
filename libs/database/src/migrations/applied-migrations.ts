import { sql } from "kysely";
import type { Handle } from "../repository.ts";

/** Kysely's own table, in the service's schema. */
export const MIGRATION_TABLE = "schema_migrations";
export const MIGRATION_LOCK_TABLE = "schema_migrations_lock";

const UNDEFINED_TABLE = "42P01";

/** Returns when each migration was applied, by name. */
export async function appliedMigrations<T>(db: Handle<T>): Promise<Map<string, Date>> {
  try {
    const { rows } = await sql<{ name: string; timestamp: string }>`
      select name, timestamp from ${sql.table(MIGRATION_TABLE)}`.execute(db);
    return new Map(rows.map(({ name, timestamp }) => [name, new Date(timestamp)]));
  } catch (error) {
    if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return new Map();
    throw error;
  }
}
