import type pg from "pg";
import { setTimeout as pause } from "node:timers/promises";

const LOCK = "gatehouse.migrate";
const ASK_AGAIN_MS = 200;

/**
 * Runs `work` while no other process of this database does. It asks for its turn again and again instead of waiting for it in the
 * database: `create index concurrently` waits for every statement that began before it, so the two would wait for each other.
 */
export async function inTurn<R>(pool: pg.Pool, work: () => Promise<R>): Promise<R> {
  const client = await pool.connect();
  try {
    while (!(await ask(client))) await pause(ASK_AGAIN_MS);
    try {
      return await work();
    } finally {
      await client.query("select pg_advisory_unlock(hashtextextended($1, 0))", [LOCK]);
    }
  } finally {
    client.release();
  }
}

async function ask(client: pg.PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ mine: boolean }>(
    "select pg_try_advisory_lock(hashtextextended($1, 0)) as mine",
    [LOCK],
  );
  return rows[0]?.mine === true;
}
