import { readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Migration } from "kysely/migration";

/** The exports of a migration's file. */
export interface ServiceMigration extends Migration {
  /**
   * `false` for a single statement that PostgreSQL rejects in a transaction, such as `create index concurrently`. It waits for locks
   * without a limit, because it does not block the table meanwhile.
   */
  readonly inTransaction?: false;
}

const MIGRATION_FILE = /^\d{8}T\d{4}_[a-z0-9_]+\.ts$/;

/** Returns the names (files without extension) in the order of execution. */
export async function migrationNames(folder: URL): Promise<string[]> {
  const files = await readdir(fileURLToPath(folder));
  const sources = files.filter((file) => file.endsWith(".ts")).toSorted();
  // A skipped file would be missing in production.
  const misnamed = sources.find((file) => !MIGRATION_FILE.test(file));
  if (misnamed !== undefined)
    throw new Error(`the migration ${misnamed} must be named like 20261124T1200_create_accounts.ts`);
  return sources.map((file) => file.slice(0, -".ts".length));
}

export async function loadMigrations(folder: URL): Promise<Record<string, ServiceMigration>> {
  const names = await migrationNames(folder);
  const modules = await Promise.all(names.map((name) => import(new URL(`${name}.ts`, withSlash(folder)).href)));
  return Object.fromEntries(names.map((name, index) => [name, modules[index] as ServiceMigration]));
}

const TEMPLATE = `import type { Kysely } from "kysely";

export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.createTable("things").addColumn("id", "uuid", (column) => column.primaryKey()).execute();
}

export async function down(db: Kysely<never>): Promise<void> {
  await db.schema.dropTable("things").execute();
}
`;

/**
 * Writes an empty migration whose name begins with the time.
 * @param name words; everything but letters and digits becomes an underscore
 * @returns the file
 */
export async function createMigration(folder: URL, name: string, now: Date): Promise<URL> {
  const words = name.toLowerCase().match(/[a-z0-9]+/g);
  if (!words) throw new Error("the name of a migration needs a letter or a digit");
  const [latest = ""] = (await migrationNames(folder)).toReversed();
  const minute = now.toISOString().slice(0, 16).replaceAll(/[-:]/g, "");
  const file = `${minute}_${words.join("_")}.ts`;
  if (file <= `${latest}.ts`)
    throw new Error(`${file} would come before ${latest}: choose another name, or wait a minute`);
  const location = new URL(file, withSlash(folder));
  await writeFile(location, TEMPLATE, { flag: "wx" });
  return location;
}

function withSlash(folder: URL): URL {
  return folder.href.endsWith("/") ? folder : new URL(`${folder.href}/`);
}
