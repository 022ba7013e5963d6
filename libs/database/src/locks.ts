import { sql, type Transaction } from "kysely";

/**
 * Advisory locks that end with their transaction, so that a pooler in transaction mode may sit in between.
 * The key is a name; PostgreSQL's hash makes a number of it.
 */

/** Waits for the lock. */
export async function lockAdvisory<T>(trx: Transaction<T>, key: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(trx);
}

/** False, at once, when another transaction holds it. */
export async function tryLockAdvisory<T>(trx: Transaction<T>, key: string): Promise<boolean> {
  const result = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${key}, 0)) as locked`.execute(trx);
  return result.rows[0]?.locked === true;
}
