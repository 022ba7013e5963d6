import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable("accounts")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("email", "text", (column) => column.notNull())
    .addColumn("password_hash", "text", (column) => column.notNull())
    .addColumn("full_name", "text")
    .addColumn("role", "text", (column) => column.notNull())
    .addColumn("is_active", "boolean", (column) => column.notNull())
    .addColumn("is_verified", "boolean", (column) => column.notNull())
    .addColumn("token_version", "integer", (column) => column.notNull().defaultTo(1))
    .addColumn("version", "integer", (column) => column.notNull().defaultTo(1))
    .addColumn("profile_version", "integer", (column) => column.notNull().defaultTo(0))
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("updated_at", "timestamptz", (column) => column.notNull())
    .addColumn("deleted_at", "timestamptz")
    .execute();
  // Partial, so that an email is free again once its account is deleted.
  await sql`create unique index accounts_email_key on accounts (email) where deleted_at is null`.execute(db);
  await sql`create index accounts_admins_index on accounts (id) where role = 'admin' and deleted_at is null`.execute(
    db,
  );
  await sql`create index accounts_deleted_at_index on accounts (deleted_at) where deleted_at is not null`.execute(db);

  await db.schema
    .createTable("tombstones")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("version", "integer", (column) => column.notNull())
    .addColumn("deleted_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
    .execute();
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable("tombstones").execute();
  await db.schema.dropTable("accounts").execute();
}
