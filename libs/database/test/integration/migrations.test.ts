import { createFaultyLine } from "@gatehouse/test-kit";
import {
  assertMigrated,
  createDatabase,
  createMigration,
  createMigrations,
  type Migrations,
  prepareSchema,
  waitUntilMigrated,
} from "@gatehouse/database";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import pg from "pg";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../fixtures/database.ts";
import { createMigrationFolder, type MigrationFolder } from "../fixtures/migration-folder.ts";
import { createRoleBench, type RoleBench } from "../fixtures/roles.ts";

const ONE = "20260101T0000_create_one";
const TWO = "20260102T0000_create_two";
const THREE = "20260103T0000_create_three";

let bench: RoleBench;
let folder: MigrationFolder;
let url: string;
let opened: Migrations[];

beforeAll(async () => {
  bench = await createRoleBench();
});
afterAll(() => bench.end());

beforeEach(async () => {
  const role = bench.newRole();
  url = bench.urlFor(role, "x");
  await prepareSchema({ ownerUrl: bench.ownerUrl, serviceUrl: url, schema: role });
  folder = await createMigrationFolder();
  await folder.write(ONE, "create table one ()", "drop table one");
  await folder.write(TWO, "create table two ()", "drop table two");
  opened = [];
});
afterEach(async () => {
  for (const migrations of opened) await migrations.close();
  await folder.end();
});

/** As in another process, possibly of another build. */
function open(of = folder): Migrations {
  const migrations = createMigrations({ url, folder: of.url });
  opened.push(migrations);
  return migrations;
}

async function tables(): Promise<unknown[]> {
  const rows = await bench.query(
    url,
    "select tablename as name from pg_tables where schemaname = current_schema() and tablename not like 'schema_migrations%' order by 1",
  );
  return rows.map(({ name }) => name);
}

async function assertFor(of = folder, as = url): Promise<void> {
  const database = createDatabase({ url: as, ...LIMITS });
  try {
    await assertMigrated(database.db, of.url);
  } finally {
    await database.close();
  }
}

describe("createMigrations", () => {
  test("applies each migration once, in order, and status returns the time", async () => {
    const migrations = open();
    expect(await migrations.status()).toEqual([
      { name: ONE, appliedAt: undefined, isKnown: true },
      { name: TWO, appliedAt: undefined, isKnown: true },
    ]);
    expect(await migrations.up()).toEqual([ONE, TWO]);
    expect(await migrations.up()).toEqual([]);
    expect(await tables()).toEqual(["one", "two"]);
    expect(await migrations.status()).toEqual([
      { name: ONE, appliedAt: expect.any(Date), isKnown: true },
      { name: TWO, appliedAt: expect.any(Date), isKnown: true },
    ]);
  });

  test("down reverts the last migration, and nothing when none is applied", async () => {
    const migrations = open();
    await migrations.up();
    expect(await migrations.down()).toEqual([TWO]);
    expect(await tables()).toEqual(["one"]);
    expect(await migrations.down()).toEqual([ONE]);
    expect(await migrations.down()).toEqual([]);
    expect(await migrations.up()).toEqual([ONE, TWO]);
  });

  test("applies each migration once when many processes run at once", async () => {
    await folder.write(THREE, "create table three as select pg_sleep(0.05)::text as slept");
    const applied = await Promise.all(Array.from({ length: 6 }, () => open().up()));
    expect(applied.flat().toSorted()).toEqual([ONE, TWO, THREE]);
    expect(await tables()).toEqual(["one", "three", "two"]);
  });

  test("lifts the statement time-out of requests", async () => {
    await folder.write(THREE, "create table three as select current_setting('statement_timeout') as limit");
    await open().up();
    expect(await bench.query(url, `select "limit" from three`)).toEqual([{ limit: "0" }]);
    expect(await bench.query(url, "show statement_timeout")).toEqual([{ statement_timeout: "30s" }]);
  });
});

describe("a migration of a table in use", () => {
  test("lets waiting requests pass, and is applied when the table is free", async () => {
    await open().up();
    await folder.write(THREE, "alter table one add column size integer");
    const report = new pg.Client({ connectionString: url });
    await report.connect();
    await report.query("begin");
    await report.query("select from one");
    const migrating = open().up();
    await expect.poll(waitsForLock).toBe(true);
    expect(await bench.query(url, "select from one")).toEqual([]);
    await report.end();
    expect(await migrating).toEqual([THREE]);
  });

  test("builds an index concurrently, in one of several replicas", async () => {
    await folder.writeOutside(THREE, "create index concurrently one_index on one ((1))");
    const applied = await Promise.all(Array.from({ length: 4 }, () => open().up()));
    expect(applied.flat().toSorted()).toEqual([ONE, TWO, THREE]);
    expect(
      await bench.query(url, "select indisvalid as valid from pg_index where indexrelid = 'one_index'::regclass"),
    ).toEqual([{ valid: true }]);
  });

  async function waitsForLock(): Promise<boolean> {
    const rows = await bench.query(
      bench.ownerUrl,
      "select from pg_locks where not granted and relation is not null and database = (select oid from pg_database where datname = current_database())",
    );
    return rows.length > 0;
  }
});

describe("a failing migration", () => {
  test("reports possible remains outside a transaction", async () => {
    await folder.writeOutside(TWO, "create index concurrently two_index on nowhere (id)");
    await expect(open().up()).rejects.toThrow(
      `the migration ${TWO} failed and may have left something behind: relation`,
    );
  });

  test("changes nothing, keeps earlier migrations, and is named", async () => {
    await folder.write(TWO, "create table two (); select nonsense");
    const attempt = open().up();
    await expect(attempt).rejects.toThrow(`the migration ${TWO} failed and changed nothing: column "nonsense"`);
    await expect(attempt).rejects.toMatchObject({ name: "DatabaseSetupError" });
    expect(await tables()).toEqual(["one"]);
    await expect(assertFor()).rejects.toThrow(TWO);
  });
});

describe("different builds", () => {
  test("an older build has nothing to migrate and may serve", async () => {
    const older = await createMigrationFolder();
    await older.write(ONE, "create table one ()");
    await open().up();
    expect(await open(older).up()).toEqual([]);
    await assertFor(older);
    expect(await open(older).status()).toContainEqual({ name: TWO, appliedAt: expect.any(Date), isKnown: false });
    await older.end();
  });

  test("a later build with an earlier migration is rejected", async () => {
    await open().up();
    await folder.write("20260101T1200_create_between", "create table between_them ()");
    await expect(open().up()).rejects.toThrow(/create_between was found in its place/);
  });
});

describe("assertMigrated and waitUntilMigrated", () => {
  test("name the missing migrations and the command for an empty schema", async () => {
    await expect(assertFor()).rejects.toThrow(
      `the database lacks the migrations ${ONE}, ${TWO}: run \`pnpm migrate up\``,
    );
  });

  test("name the rejected login and the command for a wrong password", async () => {
    const wrong = new URL(url);
    wrong.password = "hush";
    const failure = await assertFor(folder, wrong.href).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: "DatabaseSetupError",
      message: expect.stringMatching(
        /^PostgreSQL rejected the connection: password authentication failed.*`pnpm migrate up`/,
      ),
    });
    expect(String(failure)).not.toContain("hush");
  });

  test("accept a migrated schema", async () => {
    await open().up();
    await assertFor();
  });

  test("wait for server, role and migrations, and log each once", async () => {
    const role = bench.newRole();
    url = bench.urlFor(role, "x");
    const line = await createFaultyLine(url);
    await line.hangUp();
    const said: string[] = [];
    const database = createDatabase({ ...LIMITS, url: line.url });
    const waiting = waitUntilMigrated(database.db, folder.url, {
      warn: (_fields, message) => said.push(message),
      error: (fields, message) => said.push(`${message}: ${String((fields as { err: unknown }).err)}`),
    });
    const lines = (count: number) => expect.poll(() => said.length, { timeout: 10_000 }).toBe(count);
    await lines(1);
    await line.restore();
    await lines(2);
    await prepareSchema({ ownerUrl: bench.ownerUrl, serviceUrl: url, schema: role });
    await lines(3);
    await open().up();
    await waiting;
    expect(said).toEqual([
      "the database is unavailable, waiting for it",
      expect.stringContaining(
        `waiting for \`pnpm migrate up\`: DatabaseSetupError: PostgreSQL rejected the connection: password authentication failed for user "${role}"`,
      ),
      expect.stringContaining(
        `waiting for \`pnpm migrate up\`: DatabaseSetupError: the database lacks the migrations ${ONE}`,
      ),
    ]);
    await database.close();
    await line.close();
  });

  test("stop waiting when the database is closed, without logging it as unavailable", async () => {
    const said = Promise.withResolvers<void>();
    const database = createDatabase({ ...LIMITS, url: bench.urlFor("nobody", "x") });
    const logger = { warn: () => expect.unreachable(), error: () => said.resolve() };
    const waiting = waitUntilMigrated(database.db, folder.url, logger);
    await said.promise;
    await database.close();
    await expect(waiting).rejects.toThrow("driver has already been destroyed");
  });

  test("fail at once for a wrongly named migration", async () => {
    await folder.write("create_something", "select");
    const database = createDatabase({ ...LIMITS, url });
    const logger = { warn: () => expect.unreachable(), error: () => expect.unreachable() };
    await expect(waitUntilMigrated(database.db, folder.url, logger)).rejects.toThrow("must be named like");
    await database.close();
  });
});

describe("createMigrations with an unusable database", () => {
  test.each([
    [
      "the server is down",
      () => "postgres://someone:hush@127.0.0.1:1/x",
      /^PostgreSQL at 127\.0\.0\.1:1 is unavailable: /,
    ],
    [
      "the role is missing",
      () => bench.urlFor("nobody", "hush"),
      /rejected the connection: password authentication failed for user "nobody".*`pnpm migrate up`/,
    ],
    [
      "the database is missing",
      () => bench.urlFor(new URL(url).username, "x", "no_such"),
      /rejected the connection: database "no_such" does not exist/,
    ],
    [
      "the server does not support TLS",
      () => `${url}?sslmode=verify-full`,
      /does not support SSL connections\. The sslmode of the URL requires TLS/,
    ],
    [
      "the role has no schema",
      () => bench.ownerUrl,
      /has no schema of its own: run `pnpm migrate up` with DATABASE_URL/,
    ],
  ])("explains the failure without secrets when %s", async (_, badUrl, text) => {
    url = badUrl();
    const failure = await open()
      .up()
      .then(
        () => undefined,
        (error: Error) => error,
      );
    expect(failure?.name).toBe("DatabaseSetupError");
    expect(failure?.message).toMatch(text);
    expect(failure?.message).not.toContain("hush");
  });
});

describe("createMigration", () => {
  test("writes a valid migration, named by the time, as the last one", async () => {
    const file = await createMigration(folder.url, "Add Index: users/email", new Date("2026-11-24T12:34:56Z"));
    expect(basename(fileURLToPath(file))).toBe("20261124T1234_add_index_users_email.ts");
    expect(await readFile(file, "utf8")).toContain("export async function up(");
    expect((await open().status()).map(({ name }) => name).at(-1)).toBe("20261124T1234_add_index_users_email");
  });

  test("rejects a name that would not be the last, and an empty name", async () => {
    const early = new Date("2026-01-01T00:00:00Z");
    await expect(createMigration(folder.url, "zzz", early)).rejects.toThrow(`would come before ${TWO}`);
    await expect(createMigration(folder.url, "---", new Date())).rejects.toThrow("a letter or a digit");
  });

  test("a wrongly named file is rejected", async () => {
    await folder.write("create_something", "select");
    await expect(open().status()).rejects.toThrow("create_something.ts must be named like");
  });
});
