import type pg from "pg";
import { setTimeout as pause } from "node:timers/promises";

const LOCK = "gatehouse.migrate";
const RETRY_MS = 200;

/**
 * Runs `work` while no other process migrates this database. It retries to take the lock instead of waiting for it in the database:
 * `create index concurrently` waits for every statement that began before it, so the two would wait for each other.
 */
export async function withMigrationLock<R>(pool: pg.Pool, work: () => Promise<R>): Promise<R> {
  const client = await pool.connect();
  try {
    while (!(await tryLock(client))) await pause(RETRY_MS);
    try {
      return await work();
    } finally {
      await client.query("select pg_advisory_unlock(hashtextextended($1, 0))", [LOCK]);
    }
  } finally {
    client.release();
  }
}

async function tryLock(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    "select pg_try_advisory_lock(hashtextextended($1, 0)) as locked",
    [LOCK],
  );
  return rows[0]?.locked === true;
}
