import type { GatehouseEvent } from "@gatehouse/contracts";
import type { Kysely, Transaction } from "kysely";
import type { MessagingTables, OutboxInsert } from "../tables/messaging.table.ts";
import type { Relay } from "../relay/relay.ts";
import { outboxRow } from "./outbox-row.ts";

/**
 * Runs `work` in one transaction. Events given to `emit` are committed with it and published after it; when the work throws,
 * neither happens. After a deadlock or a serialization failure the work runs again, so it must have no effect outside the
 * transaction.
 */
export type Transact<T> = <R>(
  work: (trx: Transaction<T>, emit: (event: GatehouseEvent) => void) => Promise<R>,
) => Promise<R>;

const ATTEMPTS = 4;
/** SQLSTATE serialization_failure and deadlock_detected. */
const REPEATABLE = new Set(["40001", "40P01"]);

export interface TransactDeps<T> {
  readonly db: Kysely<T>;
  /** Gets the events of each commit. Without a relay in this process, another process's relay finds them within a second. */
  readonly relay?: Pick<Relay, "wake"> | undefined;
}

export function createTransact<T extends MessagingTables>(deps: TransactDeps<T>): Transact<T> {
  return async (work) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await attemptOnce(deps, work);
      } catch (error) {
        if (attempt === ATTEMPTS || !REPEATABLE.has(String((error as { code?: unknown } | null)?.code))) throw error;
      }
    }
  };
}

async function attemptOnce<T extends MessagingTables, R>(
  { db, relay }: TransactDeps<T>,
  work: Parameters<Transact<T>>[0],
): Promise<R> {
  let rows: OutboxInsert[] = [];
  const result = await db.transaction().execute(async (trx) => {
    const events: GatehouseEvent[] = [];
    const value = await work(trx, (event) => events.push(event));
    rows = events.map(outboxRow);
    if (rows.length > 0) {
      await (trx as unknown as Transaction<MessagingTables>).insertInto("outbox").values(rows).execute();
    }
    return value;
  });
  if (rows.length > 0) relay?.wake(rows);
  return result as R;
}
