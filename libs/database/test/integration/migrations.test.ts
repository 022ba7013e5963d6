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

/** As another process would have it, which may be of another build. */
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

describe("what happens when migrations are applied and reverted", () => {
  test("each runs once, in order, and status knows when", async () => {
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

  test("down takes the last one back, and nothing when there is none", async () => {
    const migrations = open();
    await migrations.up();
    expect(await migrations.down()).toEqual([TWO]);
    expect(await tables()).toEqual(["one"]);
    expect(await migrations.down()).toEqual([ONE]);
    expect(await migrations.down()).toEqual([]);
    expect(await migrations.up()).toEqual([ONE, TWO]);
  });

  test("by many at once: each migration runs once, and all find it done", async () => {
    await folder.write(THREE, "create table three as select pg_sleep(0.05)::text as slept");
    const applied = await Promise.all(Array.from({ length: 6 }, () => open().up()));
    expect(applied.flat().toSorted()).toEqual([ONE, TWO, THREE]);
    expect(await tables()).toEqual(["one", "three", "two"]);
  });

  test("statements may take longer than a request's may", async () => {
    await folder.write(THREE, "create table three as select current_setting('statement_timeout') as limit");
    await open().up();
    expect(await bench.query(url, `select "limit" from three`)).toEqual([{ limit: "0" }]);
    expect(await bench.query(url, "show statement_timeout")).toEqual([{ statement_timeout: "30s" }]);
  });
});

describe("what happens when a table is in use", () => {
  test("a migration that needs it for itself gives way, so requests get through, and is applied when it is free", async () => {
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

  test("an index is built beside it outside a transaction, by one of several replicas", async () => {
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

describe("what happens when a migration fails", () => {
  test("outside a transaction: it is said that something may be left", async () => {
    await folder.writeOutside(TWO, "create index concurrently two_index on nowhere (id)");
    await expect(open().up()).rejects.toThrow(
      `the migration ${TWO} failed and may have left something behind: relation`,
    );
  });

  test("it changes nothing, those before it stay, and it is named", async () => {
    await folder.write(TWO, "create table two (); select nonsense");
    const attempt = open().up();
    await expect(attempt).rejects.toThrow(`the migration ${TWO} failed and changed nothing: column "nonsense"`);
    await expect(attempt).rejects.toMatchObject({ name: "DatabaseSetupError" });
    expect(await tables()).toEqual(["one"]);
    await expect(assertFor()).rejects.toThrow(TWO);
  });
});

describe("what happens when builds differ", () => {
  test("an older one has nothing to do, and may serve", async () => {
    const older = await createMigrationFolder();
    await older.write(ONE, "create table one ()");
    await open().up();
    expect(await open(older).up()).toEqual([]);
    await assertFor(older);
    expect(await open(older).status()).toContainEqual({ name: TWO, appliedAt: expect.any(Date), isKnown: false });
    await older.end();
  });

  test("one that comes late with an earlier migration is refused", async () => {
    await open().up();
    await folder.write("20260101T1200_create_between", "create table between_them ()");
    await expect(open().up()).rejects.toThrow(/create_between was found in its place/);
  });
});

describe("what happens when a service starts", () => {
  test("on an empty schema: it is told what is missing, and the command", async () => {
    await expect(assertFor()).rejects.toThrow(
      `the database lacks the migrations ${ONE}, ${TWO}: run \`pnpm migrate up\``,
    );
  });

  test("with a password that is not the role's: why the server lets nobody in, and the command", async () => {
    const wrong = new URL(url);
    wrong.password = "hush";
    const failure = await assertFor(folder, wrong.href).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: "DatabaseSetupError",
      message: expect.stringMatching(/^PostgreSQL refuses: password authentication failed.*`pnpm migrate up`/),
    });
    expect(String(failure)).not.toContain("hush");
  });

  test("on a migrated one: nothing", async () => {
    await open().up();
    await assertFor();
  });

  test("before its server, its role and its migrations: it waits for each, names each once, and then goes on", async () => {
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
      "the database is away; the start waits for it",
      expect.stringContaining(
        `waits for \`pnpm migrate up\`: DatabaseSetupError: PostgreSQL refuses: password authentication failed for user "${role}"`,
      ),
      expect.stringContaining(
        `waits for \`pnpm migrate up\`: DatabaseSetupError: the database lacks the migrations ${ONE}`,
      ),
    ]);
    await database.close();
    await line.close();
  });

  test("and ends while it waits: it waits no longer, and says nothing of a database that would be away", async () => {
    const said = Promise.withResolvers<void>();
    const database = createDatabase({ ...LIMITS, url: bench.urlFor("nobody", "x") });
    const logger = { warn: () => expect.unreachable(), error: () => said.resolve() };
    const waiting = waitUntilMigrated(database.db, folder.url, logger);
    await said.promise;
    await database.close();
    await expect(waiting).rejects.toThrow("driver has already been destroyed");
  });

  test("with a folder of migrations that no migration mends: it ends, and says why", async () => {
    await folder.write("create_something", "select");
    const database = createDatabase({ ...LIMITS, url });
    const logger = { warn: () => expect.unreachable(), error: () => expect.unreachable() };
    await expect(waitUntilMigrated(database.db, folder.url, logger)).rejects.toThrow("must be named like");
    await database.close();
  });
});

describe("what happens when the database cannot be used", () => {
  test.each([
    [
      "the server is away",
      () => "postgres://someone:hush@127.0.0.1:1/x",
      /^PostgreSQL at 127\.0\.0\.1:1 does not serve: /,
    ],
    [
      "the role is missing",
      () => bench.urlFor("nobody", "hush"),
      /refuses: password authentication failed for user "nobody".*`pnpm migrate up`/,
    ],
    [
      "the database is missing",
      () => bench.urlFor(new URL(url).username, "x", "no_such"),
      /refuses: database "no_such" does not exist/,
    ],
    [
      "the server speaks no TLS",
      () => `${url}?sslmode=verify-full`,
      /does not support SSL connections\. The URL asks for TLS/,
    ],
    [
      "the role has no schema",
      () => bench.ownerUrl,
      /has no schema of its own: run `pnpm migrate up` with DATABASE_URL/,
    ],
  ])("%s: it says so, and nothing secret", async (_, badUrl, text) => {
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

describe("what happens to the folder", () => {
  test("a new migration is named by the time, is valid, and comes last", async () => {
    const file = await createMigration(folder.url, "Add Index: users/email", new Date("2026-11-24T12:34:56Z"));
    expect(basename(fileURLToPath(file))).toBe("20261124T1234_add_index_users_email.ts");
    expect(await readFile(file, "utf8")).toContain("export async function up(");
    expect((await open().status()).map(({ name }) => name).at(-1)).toBe("20261124T1234_add_index_users_email");
  });

  test("one that would not come last is refused, as is one without a name", async () => {
    const early = new Date("2026-01-01T00:00:00Z");
    await expect(createMigration(folder.url, "zzz", early)).rejects.toThrow(`would come before ${TWO}`);
    await expect(createMigration(folder.url, "---", new Date())).rejects.toThrow("a letter or a digit");
  });

  test("a file that is named otherwise is not passed over", async () => {
    await folder.write("create_something", "select");
    await expect(open().status()).rejects.toThrow("create_something.ts must be named like");
  });
});
