import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable("sessions")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("user_id", "uuid", (column) => column.notNull().references("accounts.id"))
    .addColumn("device_id", "text")
    .addColumn("device_name", "text")
    .addColumn("ip_address", "text")
    .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn("last_used_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn("ended_at", "timestamptz")
    .addColumn("reason", "text")
    .execute();
  await db.schema.createIndex("sessions_user_id_index").on("sessions").column("user_id").execute();

  await db.schema
    .createTable("refresh_tokens")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("session_id", "uuid", (column) => column.notNull().references("sessions.id").onDelete("cascade"))
    .addColumn("user_id", "uuid", (column) => column.notNull())
    .addColumn("token_hash", "bytea", (column) =>
      column
        .notNull()
        .unique()
        .check(sql`octet_length(token_hash) = 32`),
    )
    .addColumn("expires_at", "timestamptz", (column) => column.notNull())
    .addColumn("revoked_at", "timestamptz")
    .addColumn("replaced_by", "uuid")
    .addColumn("sealed_successor", "bytea")
    .execute();
  await db.schema.createIndex("refresh_tokens_session_id_index").on("refresh_tokens").column("session_id").execute();
  await db.schema.createIndex("refresh_tokens_expires_at_index").on("refresh_tokens").column("expires_at").execute();
  await sql`create index refresh_tokens_sealed_index on refresh_tokens (revoked_at) where sealed_successor is not null`.execute(
    db,
  );
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable("refresh_tokens").execute();
  await db.schema.dropTable("sessions").execute();
}
