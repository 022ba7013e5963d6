import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable("entries")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("occurred_at", "timestamptz", (column) => column.notNull())
    .addColumn("recorded_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn("user_id", "uuid")
    .addColumn("session_id", "uuid")
    .addColumn("key_id", "text")
    .addColumn("actor", "text")
    .addColumn("correlation_id", "text")
    .addColumn("version", "integer")
    .addColumn("changed", sql`text[]`, (column) => column.notNull())
    .addColumn("reason", "text")
    .execute();
  // An event's id begins with the time it was made: both listings page by it, newest first.
  await db.schema.createIndex("entries_user_id_index").on("entries").columns(["user_id", "id"]).execute();
  // Append-only: the service's own role can add and read, and nothing else. Even an owner has only the rights it leaves itself.
  await sql`revoke update, delete, truncate on entries from current_user`.execute(db);
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable("entries").execute();
}
