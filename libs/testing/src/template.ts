import { createMigrations, prepareSchema } from "@gatehouse/database";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import pg from "pg";
import { databaseUrl, SERVICE_SCHEMAS } from "./database-urls.ts";
import { REPOSITORY_ROOT } from "./repository-root.ts";

export const TEMPLATE = "gatehouse_template";

/** Makes the database of which every test file gets a clone: both schemas, each migrated under its service's own role. */
export async function migrateTemplate(superuserUrl: string): Promise<void> {
  await runSql(superuserUrl, `create database ${TEMPLATE}`);
  const ownerUrl = databaseUrl(superuserUrl, TEMPLATE);
  for (const { schema, role, service } of SERVICE_SCHEMAS) {
    const folder = pathToFileURL(join(REPOSITORY_ROOT, "services", service, "src/db/migrations/"));
    const serviceUrl = databaseUrl(superuserUrl, TEMPLATE, role);
    await prepareSchema({ ownerUrl, serviceUrl, schema });
    const migrations = createMigrations({ url: serviceUrl, folder });
    try {
      await migrations.up();
    } finally {
      // A database that somebody is connected to cannot be cloned.
      await migrations.close();
    }
  }
}

/** Runs one statement as whoever the URL names. */
export async function runSql(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
