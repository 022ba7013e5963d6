import { type Kysely, sql } from "kysely";

/**
 * What version 2 adds to the tables of createMessagingTablesV1: where in its stream each row is, by which a relay notices
 * that the server has lost the end of it. Frozen likewise.
 */
export async function extendMessagingTablesV2<T>(db: Kysely<T>): Promise<void> {
  await sql`alter table outbox add column stream_sequence bigint`.execute(db);
  await sql`alter table relay_state add column incarnation integer not null default 1`.execute(db);
}

export async function reduceMessagingTablesV2<T>(db: Kysely<T>): Promise<void> {
  await sql`alter table relay_state drop column incarnation`.execute(db);
  await sql`alter table outbox drop column stream_sequence`.execute(db);
}
