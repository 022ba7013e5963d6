import { type Kysely, sql } from "kysely";

/**
 * Trigram indexes make the admin's substring search fast on large tables. They need the extension pg_trgm, which only the
 * owner of the database can install. Without it the search scans the table.
 */
export async function up(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<{ schema: string }>`
    select nspname as schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
    where extname = 'pg_trgm' and has_schema_privilege(pg_namespace.oid, 'usage')`.execute(db);
  const schema = rows[0]?.schema;
  if (schema === undefined) return;
  const trigrams = sql.id(schema, "gin_trgm_ops");
  await sql`create index users_email_search_index on users using gin (email ${trigrams})`.execute(db);
  await sql`create index users_full_name_search_index on users using gin (full_name ${trigrams})`.execute(db);
}

export async function down(db: Kysely<never>): Promise<void> {
  await sql`drop index if exists users_email_search_index, users_full_name_search_index`.execute(db);
}
