import { sql } from "kysely";
import type { Migration } from "kysely/migration";
import type { ServiceMigration } from "./migration-files.ts";

/**
 * A migration waits that long for a table that somebody holds, since every request for the table waits behind it: far less than a
 * gateway waits for an answer.
 */
export const LOCK_TIMEOUT = "1s";

/** Those outside a transaction wait for transactions to end, which the limit would cut short with half of the work done. */
export function withoutLockTimeout(migrations: Record<string, ServiceMigration>): Record<string, Migration> {
  return Object.fromEntries(
    Object.entries(migrations).map(([name, migration]) => [
      name,
      migration.inTransaction === false ? patient(migration) : migration,
    ]),
  );
}

function patient({ up, down }: Migration): Migration {
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
