import { createDatabase, type Database } from "@gatehouse/database";
import { sql } from "kysely";

/** One application of one event. No unique key: an event that is applied twice is to show. */
interface AppliedTable {
  consumer: string;
  event_id: string;
}

interface LedgerTables {
  applied: AppliedTable;
  /** The unique key by which the consumers know an event again. */
  handled: AppliedTable;
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
  await sql`
    create table handled (consumer text, event_id text, primary key (consumer, event_id))`.execute(database.db);
  await sql`create table applied (consumer text not null, event_id text not null)`.execute(database.db);
  return database;
}
