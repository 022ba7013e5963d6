import { type Kysely, sql } from "kysely";

/** Drops the inbox table: handlers guard effects by a unique key of their own. Version 3, frozen like version 1. */
export async function dropInboxV3<T>(db: Kysely<T>): Promise<void> {
  await sql`drop table inbox`.execute(db);
}

/** Creates the empty inbox table of version 1 again, for a migration's `down`. */
export async function restoreInboxV3<T>(db: Kysely<T>): Promise<void> {
  await sql`
    create table inbox (
      consumer text not null,
      event_id text not null,
      handled_at timestamptz not null default now(),
      primary key (consumer, event_id)
    )`.execute(db);
  await sql`create index inbox_handled_at_index on inbox (handled_at)`.execute(db);
}
