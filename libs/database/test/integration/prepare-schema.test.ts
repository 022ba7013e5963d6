import { DatabaseSetupError, prepareSchema } from "@gatehouse/database";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createRoleBench, type RoleBench } from "../fixtures/roles.ts";

let bench: RoleBench;
beforeAll(async () => {
  bench = await createRoleBench();
});
afterAll(() => bench.end());

const PASSWORD = "it's a p@ss/wörd";

/** Prepares a new role and schema. */
async function prepared(schema: string, on = bench, ownerUrl = on.ownerUrl) {
  const role = on.newRole();
  const serviceUrl = on.urlFor(role, PASSWORD);
  await prepareSchema({ ownerUrl, serviceUrl, schema });
  return { role, serviceUrl, ownerUrl, schema };
}

describe("prepareSchema for two services in one database", () => {
  test("gives each its own search_path and no access to the other schema", async () => {
    const one = await prepared("one");
    const two = await prepared("two");
    for (const { serviceUrl, schema } of [one, two]) {
      await bench.query(serviceUrl, `create table secrets as select '${schema}' as whose`);
      expect(await bench.query(serviceUrl, "select whose from secrets")).toEqual([{ whose: schema }]);
    }
    for (const [mine, theirs] of [
      [one, two],
      [two, one],
    ] as const) {
      const denied = `permission denied for schema ${theirs.schema}`;
      await expect(bench.query(mine.serviceUrl, `select from ${theirs.schema}.secrets`)).rejects.toThrow(denied);
      await expect(bench.query(mine.serviceUrl, `create table ${theirs.schema}.x ()`)).rejects.toThrow(denied);
      await expect(bench.query(mine.serviceUrl, `grant ${theirs.role} to ${mine.role}`)).rejects.toThrow("denied");
      await expect(bench.query(mine.serviceUrl, `set role ${theirs.role}`)).rejects.toThrow("denied");
    }
  });

  test("denies creating schemas, tables in public and temporary tables", async () => {
    const { serviceUrl } = await prepared("three");
    for (const statement of ["create schema mine", "create table public.x ()", "create temporary table x ()"])
      await expect(bench.query(serviceUrl, statement)).rejects.toThrow("permission denied");
  });

  test("denies other roles to connect", async () => {
    await prepared("four");
    const stranger = bench.newRole();
    await bench.query(bench.ownerUrl, `create role ${stranger} login password 'x'`);
    await expect(bench.query(bench.urlFor(stranger, "x"), "select")).rejects.toThrow("permission denied for database");
  });
});

describe("prepareSchema repeated", () => {
  test("changes nothing", async () => {
    const target = await prepared("again");
    await bench.query(target.serviceUrl, "create table kept ()");
    await prepareSchema(target);
    expect(await bench.query(target.serviceUrl, "select from kept")).toEqual([]);
  });

  test("replaces the password", async () => {
    const target = await prepared("rotated");
    const serviceUrl = bench.urlFor(target.role, "another");
    await prepareSchema({ ...target, serviceUrl });
    await bench.query(serviceUrl, "select");
    await expect(bench.query(target.serviceUrl, "select")).rejects.toThrow("password authentication failed");
  });

  test("keeps the password when the URL has none", async () => {
    const target = await prepared("passwordless");
    await prepareSchema({ ...target, serviceUrl: bench.urlFor(target.role, "") });
    await bench.query(target.serviceUrl, "select");
  });

  test("succeeds in many concurrent calls, in one database and in several", async () => {
    const [role, other] = [bench.newRole(), bench.newRole()];
    const databases = [undefined, undefined, bench.newRole(), bench.newRole()];
    const calls = databases.flatMap((database) =>
      [role, other].map((user) =>
        prepareSchema({
          ownerUrl: bench.ownerUrl,
          serviceUrl: bench.urlFor(user, "x", database),
          schema: `at_once_${user === role ? "one" : "two"}`,
        }),
      ),
    );
    await Promise.all(calls);
    for (const database of databases)
      expect(await bench.query(bench.urlFor(role, "x", database), "select current_schema() as schema")).toEqual([
        { schema: "at_once_one" },
      ]);
  });
});

describe("prepareSchema for a second login", () => {
  test("makes both work, with objects owned by the first, whose login can be disabled", async () => {
    const target = await prepared("twice");
    const second = bench.newRole(`${target.role}_b`);
    const secondUrl = bench.urlFor(second, "another");
    for (let time = 0; time < 2; time += 1) await prepareSchema({ ...target, serviceUrl: secondUrl });
    await bench.query(target.serviceUrl, "create table by_first as select 1 as number");
    await bench.query(secondUrl, "create table by_second as select 2 as number");
    for (const url of [target.serviceUrl, secondUrl])
      expect(await bench.query(url, "select number from by_first union all select number from by_second")).toEqual([
        { number: 1 },
        { number: 2 },
      ]);
    const owners = "select distinct tableowner from pg_tables where schemaname = 'twice'";
    expect(await bench.query(secondUrl, owners)).toEqual([{ tableowner: target.role }]);
    expect(await bench.query(secondUrl, "show statement_timeout")).toEqual([{ statement_timeout: "30s" }]);

    await bench.query(bench.ownerUrl, `alter role ${target.role} nologin`);
    await expect(bench.query(target.serviceUrl, "select")).rejects.toThrow("not permitted to log in");
    expect(await bench.query(secondUrl, "select number from by_first")).toEqual([{ number: 1 }]);

    const third = bench.urlFor(target.role, "a third");
    await prepareSchema({ ...target, serviceUrl: third });
    expect(await bench.query(third, "select number from by_first"), "the role can connect again").toEqual([
      { number: 1 },
    ]);
  });

  test("rejects the role of another service", async () => {
    const [one, other] = [await prepared("mine"), await prepared("yours")];
    await expect(prepareSchema({ ...one, serviceUrl: other.serviceUrl })).rejects.toThrow(
      `belongs to "${one.role}" and not to "${other.role}"`,
    );
    await expect(bench.query(other.serviceUrl, `set role ${one.role}`)).rejects.toThrow("denied");
  });
});

describe("prepareSchema without a database", () => {
  test("creates it for the owner", async () => {
    const name = bench.newRole();
    const serviceUrl = bench.urlFor(bench.newRole(), PASSWORD, name);
    await prepareSchema({ ownerUrl: bench.ownerUrl, serviceUrl, schema: "made" });
    const [row] = await bench.query(
      serviceUrl,
      "select current_database() as name, pg_encoding_to_char(encoding) as encoding from pg_database where datname = current_database()",
    );
    expect(row).toEqual({ name, encoding: "UTF8" });
  });

  test("creates it also when the owner's own database is missing", async () => {
    const name = bench.newRole();
    const owner = new URL(bench.ownerUrl);
    owner.pathname = `/${name}`;
    const serviceUrl = bench.urlFor(bench.newRole(), PASSWORD, name);
    await prepareSchema({ ownerUrl: owner.href, serviceUrl, schema: "made" });
    await bench.query(serviceUrl, "create table works ()");
  });
});

describe("prepareSchema by an owner that is not a superuser", () => {
  let modest: RoleBench;
  beforeEach(async () => {
    modest = await createRoleBench();
  });
  afterEach(() => modest.end());

  /** As in managed PostgreSQL: may create roles, and schemas in a database that it does not own. */
  async function ownerWith(rights: string): Promise<string> {
    const owner = modest.newRole();
    await modest.query(modest.ownerUrl, `create role ${owner} login password 'x' ${rights}`);
    await modest.query(
      modest.ownerUrl,
      `do $$ begin execute format('grant all on database %I to ${owner}', current_database()); end $$`,
    );
    return modest.urlFor(owner, "x");
  }

  test("needs only CREATEROLE and CREATE on the database, also when repeated", async () => {
    const target = await prepared("modest", modest, await ownerWith("createrole"));
    await modest.query(target.serviceUrl, "create table works ()");
    await prepareSchema(target);
    expect(await modest.query(target.serviceUrl, "select from works")).toEqual([]);
  });

  test("owns a database that it creates, and denies other roles to connect", async () => {
    const ownerUrl = await ownerWith("createrole createdb");
    const serviceUrl = modest.urlFor(modest.newRole(), PASSWORD, modest.newRole());
    await prepareSchema({ ownerUrl, serviceUrl, schema: "own" });
    const [row] = await modest.query(
      serviceUrl,
      "select array(select grantee::regrole::text from aclexplode(datacl)) as grantees from pg_database where datname = current_database()",
    );
    expect(row?.["grantees"]).not.toContain("-");
  });

  test("names the grant that the owner of a restricted database must run", async () => {
    await prepared("first", modest);
    await expect(prepared("second", modest, await ownerWith("createrole"))).rejects.toThrow(
      /may not connect\. The owner of the database ".*" must run: grant connect on database/,
    );
  });

  test("fails with the missing permission without CREATEROLE", async () => {
    const attempt = prepared("refused", modest, await ownerWith(""));
    await expect(attempt).rejects.toThrow(DatabaseSetupError);
    await expect(attempt).rejects.toThrow(/lacks a permission .* permission denied to create role/);
  });
});

describe("prepareSchema with extensions", () => {
  test("creates an extension for every schema, and skips one that the server lacks", async () => {
    const role = bench.newRole();
    const target = { ownerUrl: bench.ownerUrl, serviceUrl: bench.urlFor(role, PASSWORD), schema: "extended" };
    for (let time = 0; time < 2; time += 1)
      await prepareSchema({ ...target, extensions: ["pg_trgm", "no_such_extension"] });
    await bench.query(target.serviceUrl, "create table t (name text)");
    await bench.query(target.serviceUrl, "create index on t using gin (name public.gin_trgm_ops)");
  });
});

describe("prepareSchema fails", () => {
  const failing = (ownerUrl: string, serviceUrl: string, schema = "x") =>
    prepareSchema({ ownerUrl, serviceUrl, schema }).then(
      () => "no error",
      (error: Error) => `${error.name}: ${error.message}`,
    );

  test("with the address of a server that is down, without secrets", async () => {
    const text = await failing("postgres://owner:hush@127.0.0.1:1/x", "postgres://service:hush@127.0.0.1:1/x");
    expect(text).toBe("DatabaseSetupError: PostgreSQL at 127.0.0.1:1 is unavailable: connect ECONNREFUSED 127.0.0.1:1");
  });

  test("with the role of a wrong password, without secrets", async () => {
    const owner = new URL(bench.ownerUrl);
    owner.password = "hush";
    const text = await failing(owner.href, bench.urlFor(bench.newRole(), "hush"));
    expect(text).toMatch(
      /^DatabaseSetupError: PostgreSQL at .* rejected the connection: password authentication failed for user ".+"/,
    );
    expect(text).not.toContain("hush");
  });

  test("when the service has the owner's role", async () => {
    expect(await failing(bench.ownerUrl, bench.ownerUrl)).toContain("must have a role of its own");
  });

  test("when the schema belongs to another role", async () => {
    await bench.query(bench.ownerUrl, "create schema taken");
    expect(await failing(bench.ownerUrl, bench.urlFor(bench.newRole(), "x"), "taken")).toContain('"taken" belongs to');
  });

  test("without leaving parts", async () => {
    const role = bench.newRole();
    await failing(bench.ownerUrl, bench.urlFor(role, "x"), "taken");
    expect(await bench.query(bench.ownerUrl, `select from pg_roles where rolname = '${role}'`)).toEqual([]);
  });
});

test("prepareSchema sends only the verifier of a password to the server", async () => {
  const { role } = await prepared("hidden");
  const [row] = await bench.query(
    bench.ownerUrl,
    `select rolpassword as password from pg_authid where rolname = '${role}'`,
  );
  expect(row?.["password"]).toMatch(/^SCRAM-SHA-256\$4096:/);
});
