import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The busiest table of each service. */
const TABLES = { auth: "accounts", user: "users" } as const;

/** After all that the build has itself. */
const NAMES = {
  column: "29990101T0000_drill_add_column.ts",
  index: "29990101T0001_drill_add_index.ts",
  contract: "29990101T0002_drill_drop_column.ts",
};

/** Gives a build a release's migrations: a column with a default, and an index over it beside the requests. */
export async function addExpansion(tree: string): Promise<void> {
  await addMigrations(tree, NAMES.column, (table) => ({
    up: `alter table ${table} add column drill_note text not null default 'none'`,
    down: `alter table ${table} drop column drill_note`,
  }));
  await addMigrations(tree, NAMES.index, (table) => ({
    isOutside: true,
    up: `create index concurrently ${table}_drill_index on ${table} (drill_note, id)`,
    down: `drop index concurrently ${table}_drill_index`,
  }));
}

/** And the last one's: it takes away what the build that rolled back would have met. */
export async function addContraction(tree: string): Promise<void> {
  await addMigrations(tree, NAMES.contract, (table) => ({
    up: `alter table ${table} drop column drill_note`,
    down: `alter table ${table} add column drill_note text not null default 'none'`,
  }));
}

interface Statements {
  readonly isOutside?: boolean;
  readonly up: string;
  readonly down: string;
}

async function addMigrations(tree: string, file: string, statementsFor: (table: string) => Statements): Promise<void> {
  for (const [service, table] of Object.entries(TABLES)) {
    const { isOutside = false, up, down } = statementsFor(table);
    const text = [
      'import { type Kysely, sql } from "kysely";',
      ...(isOutside ? ["export const inTransaction = false;"] : []),
      `export const up = (db: Kysely<never>) => sql\`${up}\`.execute(db);`,
      `export const down = (db: Kysely<never>) => sql\`${down}\`.execute(db);`,
    ];
    await writeFile(join(tree, "services", service, "src/db/migrations", file), `${text.join("\n")}\n`);
  }
}
