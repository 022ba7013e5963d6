import { type Kysely, sql } from "kysely";

/**
 * Creates the messaging tables of a service, version 1. Frozen, because landed migrations call it: a change is a new function with the
 * next version.
 */
export async function createMessagingTablesV1<T>(db: Kysely<T>): Promise<void> {
  // Rows are updated twice within milliseconds and deleted minutes later. Free space on the page keeps the first update out of
  // the indexes, and frequent vacuuming keeps the index of claims short.
  await sql`
    create table outbox (
      id uuid primary key,
      subject text not null,
      payload jsonb not null,
      headers jsonb not null default '{}',
      revoking boolean not null default false,
      created_at timestamptz not null default now(),
      claimed_until timestamptz,
      published_at timestamptz
    ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)`.execute(db);
  await sql`create index outbox_unpublished_index on outbox (revoking desc, id) where published_at is null`.execute(db);
  await sql`create index outbox_published_at_index on outbox (published_at) where published_at is not null`.execute(db);

  await sql`
    create table inbox (
      consumer text not null,
      event_id text not null,
      handled_at timestamptz not null default now(),
      primary key (consumer, event_id)
    )`.execute(db);
  await sql`create index inbox_handled_at_index on inbox (handled_at)`.execute(db);

  await sql`
    create table relay_state (
      stream text primary key,
      stream_created text not null
    )`.execute(db);
}

export async function dropMessagingTablesV1<T>(db: Kysely<T>): Promise<void> {
  await sql`drop table relay_state, inbox, outbox`.execute(db);
}
