import { databaseUrl } from "@gatehouse/local-stack";
import { createDatabase, type Database } from "@gatehouse/database";
import { createMessagingTablesV1, extendMessagingTablesV2, type MessagingTables } from "@gatehouse/messaging";
import { sql } from "kysely";

/** Both ends of the way in one database: what is written, and the copy that a consumer makes of it. */
export interface BenchTables extends MessagingTables {
  sources: { id: string; version: number; full_name: string };
  copies: { id: string; version: number; full_name: string | null };
}

export function openDatabase(url: string, applicationName: string): Database<BenchTables> {
  return createDatabase<BenchTables>({ url, applicationName });
}

/** Makes the database `bench` and its tables. */
export async function createBenchDatabase(superuserUrl: string): Promise<void> {
  const superuser = openDatabase(superuserUrl, "bench");
  await sql`create database bench`.execute(superuser.db);
  await superuser.close();
  const { db, close } = openDatabase(databaseUrl(superuserUrl, "bench"), "bench");
  await createMessagingTablesV1(db);
  await extendMessagingTablesV2(db);
  await sql`create table sources (id uuid primary key, version integer not null, full_name text not null)`.execute(db);
  await sql`create table copies (id uuid primary key, version integer not null, full_name text)`.execute(db);
  await close();
}
