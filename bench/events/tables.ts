import { createDatabase, type Database } from "@gatehouse/database";
import { createMessagingTablesV1, extendMessagingTablesV2, type MessagingTables } from "@gatehouse/messaging";
import { type Kysely, sql } from "kysely";

/** The source and its projection in one database. */
export interface BenchTables extends MessagingTables {
  sources: { id: string; version: number; full_name: string };
  copies: BenchTables["sources"];
}

export function openDatabase(url: string, applicationName: string): Database<BenchTables> {
  return createDatabase<BenchTables>({ url, applicationName });
}

export async function createTables(db: Kysely<BenchTables>): Promise<void> {
  await createMessagingTablesV1(db);
  await extendMessagingTablesV2(db);
  await sql`create table sources (id uuid primary key, version integer not null, full_name text not null)`.execute(db);
  await sql`create table copies (like sources including all)`.execute(db);
}
