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

/** Creates an empty schema owned by a role that only this file uses. */
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

describe("migrations", () => {
  it("can all be reverted and applied again", async () => {
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
  ])("create search indexes with extensions $extensions: $indexed", async ({ extensions, indexed }) => {
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
