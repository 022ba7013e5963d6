import type { EntryTable } from "./tables/entry.table.ts";

/** The schema `audit`. The event's id is the primary key of an entry, so a repeated event adds nothing. */
export interface AuditTables {
  entries: EntryTable;
}

/** The folder of the schema's migrations. */
export const MIGRATIONS_FOLDER = new URL("./migrations/", import.meta.url);
