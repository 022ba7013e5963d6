import { type Kysely, sql } from "kysely";

/** Drops the inbox table of version 1, which no consumer uses: handlers guard effects by a unique key of their own. Frozen likewise. */
export async function dropInboxV3<T>(db: Kysely<T>): Promise<void> {
  await sql`drop table inbox`.execute(db);
}

/** Creates the table of version 1 again, empty, for a migration's `down`. */
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
