import { sql, type Transaction } from "kysely";

/**
 * Waits for the lock `key` and holds it until the transaction ends. All schemas of the database share locks, so begin the key with the
 * service's name.
 */
export async function lockAdvisory<T>(trx: Transaction<T>, key: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(trx);
}

/** Takes the lock without waiting. Returns false when another transaction holds it. */
export async function tryLockAdvisory<T>(trx: Transaction<T>, key: string): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${key}, 0)) as locked`.execute(trx);
  return rows[0]?.locked === true;
}
