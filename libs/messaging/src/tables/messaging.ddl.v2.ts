import { type Kysely, sql } from "kysely";

/**
 * Adds each row's sequence in the stream, by which a relay detects that the server lost the end of the stream. Version 2, frozen like
 * version 1.
 */
export async function extendMessagingTablesV2<T>(db: Kysely<T>): Promise<void> {
  await sql`alter table outbox add column stream_sequence bigint`.execute(db);
  await sql`alter table relay_state add column incarnation integer not null default 1`.execute(db);
}

export async function reduceMessagingTablesV2<T>(db: Kysely<T>): Promise<void> {
  await sql`alter table relay_state drop column incarnation`.execute(db);
  await sql`alter table outbox drop column stream_sequence`.execute(db);
}
