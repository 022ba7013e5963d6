import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import type { ServiceMigration } from "./migration-files.ts";

/**
 * How long a migration waits for a locked table. Every request for the table waits behind it, so this is far less than the gateway's
 * time-out.
 */
export const LOCK_TIMEOUT = "1s";

/** Lifts the limit for migrations outside a transaction: interrupted while they wait for other transactions, they would be half done. */
export function withoutLockTimeout(migrations: Record<string, ServiceMigration>): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(migrations).map(([name, migration]) => [
      name,
      migration.inTransaction === false ? withoutLimit(migration) : migration,
    ]),
  );
}

function withoutLimit({ up, down }: Migration): Migration {
  const wait = (step: Migration["up"]): Migration["up"] => {
    return async (db) => {
      await sql`set lock_timeout = 0`.execute(db);
      try {
        await step(db);
      } finally {
        await sql`set lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(db);
      }
    };
  };
  return { up: wait(up), ...(down === undefined ? {} : { down: wait(down) }) };
}
