import { createEmptyDatabase, type EmptyDatabase } from "@gatehouse/test-kit";
import { createDatabase, createMigrations, prepareSchema } from "@gatehouse/database";
import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { MIGRATIONS_FOLDER, type UserTables } from "../../src/db/database.ts";

let database: EmptyDatabase | undefined;
afterEach(async () => {
  await database?.drop();
  database = undefined;
});

/** An empty schema of a role of this file's own. */
async function emptySchema(extensions: string[]): Promise<string> {
  database = await createEmptyDatabase();
  const url = new URL(database.ownerUrl);
  url.username = "user_migrations_test";
  url.password = "password-for-tests";
  await prepareSchema({ ownerUrl: database.ownerUrl, serviceUrl: url.href, schema: "users", extensions });
  return url.href;
}

async function planOfSearch(url: string): Promise<string> {
  const limits = { poolSize: 1, maxOverflow: 0, timeoutSeconds: 5, recycleSeconds: 60 };
  const { db, close } = createDatabase<UserTables>({ url, ...limits, applicationName: "test" });
  await sql`set enable_seqscan = off`.execute(db);
  const pattern = "%needle%";
  const { rows } = await sql`
    explain select * from users where email ilike ${pattern} or full_name ilike ${pattern}`.execute(db);
  await close();
  return JSON.stringify(rows);
}

describe("what happens when the schema is migrated", () => {
  it("every migration can be undone and done again", async () => {
    const url = await emptySchema([]);
    const migrations = createMigrations({ url, folder: MIGRATIONS_FOLDER });
    const names = await migrations.up();
    for (let count = 0; count < names.length; count += 1) await migrations.down();
    expect((await migrations.status()).filter(({ appliedAt }) => appliedAt !== undefined)).toEqual([]);
    expect(await migrations.up()).toEqual(names);
    await migrations.close();
  });

  it.each([
    { extensions: ["pg_trgm"], indexed: true },
    { extensions: [], indexed: false },
  ])("with the extensions $extensions, that the search has indexes is $indexed", async ({ extensions, indexed }) => {
    const url = await emptySchema(extensions);
    const migrations = createMigrations({ url, folder: MIGRATIONS_FOLDER });
    await migrations.up();
    const plan = await planOfSearch(url);
    expect(plan.includes("users_email_search_index")).toBe(indexed);
    expect(plan.includes("users_full_name_search_index")).toBe(indexed);
    for (let count = 0; count < 4; count += 1) await migrations.down();
    await migrations.close();
  });
});
