import { createDatabase, type Database } from "@gatehouse/database";
import { createMessagingTablesV1, type MessagingTables } from "@gatehouse/messaging";
import { sql } from "kysely";

/** One application of one event. No unique key: an event that is applied twice is to show. */
interface AppliedTable {
  consumer: string;
  event_id: string;
}

interface LedgerTables extends MessagingTables {
  applied: AppliedTable;
}

export type LedgerDatabase = Database<LedgerTables>;

/** The database of the harness's own consumers, on the same server as everybody's. */
export async function openLedgerDatabase(url: string): Promise<LedgerDatabase> {
  const database = createDatabase<LedgerTables>({
    url,
    poolSize: 10,
    maxOverflow: 10,
    timeoutSeconds: 10,
    recycleSeconds: 3_600,
    applicationName: "faults-ledger",
  });
  await createMessagingTablesV1(database.db);
  await sql`create table applied (consumer text not null, event_id text not null)`.execute(database.db);
  return database;
}
