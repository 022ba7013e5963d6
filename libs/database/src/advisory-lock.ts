import { sql, type Transaction } from "kysely";

/**
 * Waits for the lock of that name and holds it until the transaction ends. Locks are the database's own, shared by all schemas:
 * begin the name with the service's.
 */
export async function lockAdvisory<T>(trx: Transaction<T>, key: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(trx);
}

/** The same without waiting; false when another transaction holds it. */
export async function tryLockAdvisory<T>(trx: Transaction<T>, key: string): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${key}, 0)) as locked`.execute(trx);
  return rows[0]?.locked === true;
}
