import type { EntryTable } from "./tables/entry.table.ts";

/** The schema `audit`. An entry is told by its event's id, so no inbox is needed. */
export interface AuditTables {
  entries: EntryTable;
}

/** The migrations of the schema, for whoever applies or checks them. */
export const MIGRATIONS_FOLDER = new URL("./migrations/", import.meta.url);
