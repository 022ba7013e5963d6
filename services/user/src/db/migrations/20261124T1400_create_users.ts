import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable("users")
    .addColumn("id", "uuid", (column) => column.primaryKey())
    .addColumn("email", "text", (column) => column.notNull())
    .addColumn("full_name", "text")
    .addColumn("role", "text", (column) => column.notNull())
    .addColumn("is_active", "boolean", (column) => column.notNull())
    .addColumn("is_verified", "boolean", (column) => column.notNull())
    .addColumn("account_version", "integer", (column) => column.notNull())
    .addColumn("deletion_version", "integer", (column) => column.notNull())
    .addColumn("version", "integer", (column) => column.notNull())
    .addColumn("is_registered", "boolean", (column) => column.notNull())
    .addColumn("created_at", "timestamptz", (column) => column.notNull())
    .addColumn("updated_at", "timestamptz", (column) => column.notNull())
    .addColumn("is_deleted", "boolean", (column) =>
      column
        .generatedAlwaysAs(sql`deleted_at is not null`)
        .stored()
        .notNull(),
    )
    .addColumn("deleted_at", "timestamptz")
    .execute();
  // Not unique: auth decides which email is taken, and its events may arrive in any order.
  await db.schema.createIndex("users_email_index").on("users").column("email").execute();
  // The admin's list pages by id. Its filters select few rows (admins, inactive, deleted), which the primary key finds slowly.
  await db.schema.createIndex("users_role_index").on("users").columns(["role", "id"]).execute();
  await sql`create index users_inactive_index on users (id) where not is_active`.execute(db);
  await sql`create index users_deleted_index on users (id) where is_deleted`.execute(db);

  for (const table of ["tombstones", "early_deletions"]) {
    await db.schema
      .createTable(table)
      .addColumn("id", "uuid", (column) => column.primaryKey())
      .addColumn("version", "integer", (column) => column.notNull())
      .addColumn("deleted_at", "timestamptz", (column) => column.notNull())
      .execute();
    await db.schema.createIndex(`${table}_deleted_at_index`).on(table).column("deleted_at").execute();
  }
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable("early_deletions").execute();
  await db.schema.dropTable("tombstones").execute();
  await db.schema.dropTable("users").execute();
}
