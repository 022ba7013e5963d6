import { type Kysely, sql } from "kysely";
import { MIGRATION_LOCK_TABLE, MIGRATION_TABLE } from "../migrations/applied-migrations.ts";

/** A column in the database. */
export interface Column {
  readonly table: string;
  readonly name: string;
  /** PostgreSQL's name, such as `timestamp with time zone`. */
  readonly sqlType: string;
  /** The TypeScript type that the driver returns; undefined for a type that is not in TYPES. */
  readonly type: string | undefined;
  readonly isNullable: boolean;
  /** Whether an insert must, may or must not set it. */
  readonly insert: "required" | "optional" | "never";
}

interface CatalogRow {
  table: string;
  name: string;
  sql_type: string;
  type_name: string;
  type_kind: string;
  not_null: boolean;
  has_default: boolean;
  always_generated: boolean;
}

const TYPES: Record<string, string> = {
  uuid: "string",
  text: "string",
  varchar: "string",
  bpchar: "string",
  citext: "string",
  inet: "string",
  numeric: "string",
  int2: "number",
  int4: "number",
  int8: "number",
  float4: "number",
  float8: "number",
  bool: "boolean",
  timestamptz: "Date",
  bytea: "Buffer",
  json: "unknown",
  jsonb: "unknown",
};

/** Returns every column of the role's own schema, except in the migrator's tables. */
export async function readColumns(db: Kysely<never>): Promise<Column[]> {
  const { rows } = await sql<CatalogRow>`
    select relname as table, attname as name, format_type(atttypid, atttypmod) as sql_type, typname as type_name,
      typtype as type_kind, attnotnull as not_null, atthasdef or attidentity <> '' as has_default,
      attgenerated <> '' or attidentity = 'a' as always_generated
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    join pg_type on pg_type.oid = atttypid
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm')
      and attnum > 0 and not attisdropped and relname not in (${MIGRATION_TABLE}, ${MIGRATION_LOCK_TABLE})
    order by relname, attnum`.execute(db);
  return rows.map((row) => ({
    table: row.table,
    name: row.name,
    sqlType: row.sql_type,
    type: typeOf(row),
    isNullable: !row.not_null,
    insert: row.always_generated ? "never" : row.not_null && !row.has_default ? "required" : "optional",
  }));
}

function typeOf({ type_name: name, type_kind: kind }: CatalogRow): string | undefined {
  if (kind === "e") return "string";
  const element = name.startsWith("_") ? TYPES[name.slice(1)] : undefined;
  return element === undefined ? TYPES[name] : `readonly ${element}[]`;
}
