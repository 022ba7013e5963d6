import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable("signing_keys")
    .addColumn("kid", "text", (column) => column.primaryKey())
    .addColumn("algorithm", "text", (column) => column.notNull())
    .addColumn("public_jwk", "jsonb", (column) => column.notNull())
    .addColumn("sealed_private_key", "bytea")
    .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
    .addColumn("signs_from", "timestamptz", (column) => column.notNull())
    .addColumn("retired_at", "timestamptz")
    .execute();
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable("signing_keys").execute();
}
