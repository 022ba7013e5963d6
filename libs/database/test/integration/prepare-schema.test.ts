import { DatabaseSetupError, prepareSchema } from "@gatehouse/database";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createRoleBench, type RoleBench } from "../fixtures/roles.ts";

let bench: RoleBench;
beforeAll(async () => {
  bench = await createRoleBench();
});
afterAll(() => bench.end());

const PASSWORD = "it's a p@ss/wörd";

/** A role and a schema of a service that nobody has used, prepared. */
async function prepared(schema: string, on = bench, ownerUrl = on.ownerUrl) {
  const role = on.newRole();
  const serviceUrl = on.urlFor(role, PASSWORD);
  await prepareSchema({ ownerUrl, serviceUrl, schema });
  return { role, serviceUrl, ownerUrl, schema };
}

describe("what happens when two services share a database", () => {
  test("each has its own schema without naming it, and cannot look into the other's", async () => {
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

  test("neither may make schemas, tables in public, or temporary tables", async () => {
    const { serviceUrl } = await prepared("three");
    for (const statement of ["create schema mine", "create table public.x ()", "create temporary table x ()"])
      await expect(bench.query(serviceUrl, statement)).rejects.toThrow("permission denied");
  });

  test("strangers do not enter", async () => {
    await prepared("four");
    const stranger = bench.newRole();
    await bench.query(bench.ownerUrl, `create role ${stranger} login password 'x'`);
    await expect(bench.query(bench.urlFor(stranger, "x"), "select")).rejects.toThrow("permission denied for database");
  });
});

describe("what happens when it is done again", () => {
  test("nothing changes, and what was made stays", async () => {
    const target = await prepared("again");
    await bench.query(target.serviceUrl, "create table kept ()");
    await prepareSchema(target);
    expect(await bench.query(target.serviceUrl, "select from kept")).toEqual([]);
  });

  test("with another password: the new one is good, the old one is not", async () => {
    const target = await prepared("rotated");
    const serviceUrl = bench.urlFor(target.role, "another");
    await prepareSchema({ ...target, serviceUrl });
    await bench.query(serviceUrl, "select");
    await expect(bench.query(target.serviceUrl, "select")).rejects.toThrow("password authentication failed");
  });

  test("without a password in the URL: the present one stays", async () => {
    const target = await prepared("passwordless");
    await prepareSchema({ ...target, serviceUrl: bench.urlFor(target.role, "") });
    await bench.query(target.serviceUrl, "select");
  });

  test("by many at once, in one database and in several: all succeed", async () => {
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

describe("what happens when a service gets a second login, so that its password can be changed", () => {
  test("both work, what either makes belongs to the first, and the first can be shut out", async () => {
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
    expect(await bench.query(third, "select number from by_first"), "and let in again").toEqual([{ number: 1 }]);
  });

  test("the role of another service is none", async () => {
    const [one, other] = [await prepared("mine"), await prepared("yours")];
    await expect(prepareSchema({ ...one, serviceUrl: other.serviceUrl })).rejects.toThrow(
      `belongs to "${one.role}" and not to "${other.role}"`,
    );
    await expect(bench.query(other.serviceUrl, `set role ${one.role}`)).rejects.toThrow("denied");
  });
});

describe("what happens when the database is not there", () => {
  test("it is made, and owned by the owner", async () => {
    const name = bench.newRole();
    const serviceUrl = bench.urlFor(bench.newRole(), PASSWORD, name);
    await prepareSchema({ ownerUrl: bench.ownerUrl, serviceUrl, schema: "made" });
    const [row] = await bench.query(
      serviceUrl,
      "select current_database() as name, pg_encoding_to_char(encoding) as encoding from pg_database where datname = current_database()",
    );
    expect(row).toEqual({ name, encoding: "UTF8" });
  });

  test("nor the owner's own, which is made as well", async () => {
    const name = bench.newRole();
    const owner = new URL(bench.ownerUrl);
    owner.pathname = `/${name}`;
    const serviceUrl = bench.urlFor(bench.newRole(), PASSWORD, name);
    await prepareSchema({ ownerUrl: owner.href, serviceUrl, schema: "made" });
    await bench.query(serviceUrl, "create table works ()");
  });
});

describe("what happens when the owner is no superuser", () => {
  let modest: RoleBench;
  beforeEach(async () => {
    modest = await createRoleBench();
  });
  afterEach(() => modest.end());

  /** As managed PostgreSQL has it: may make roles, and schemas in one database, of which it is not the owner. */
  async function ownerWith(rights: string): Promise<string> {
    const owner = modest.newRole();
    await modest.query(modest.ownerUrl, `create role ${owner} login password 'x' ${rights}`);
    await modest.query(
      modest.ownerUrl,
      `do $$ begin execute format('grant all on database %I to ${owner}', current_database()); end $$`,
    );
    return modest.urlFor(owner, "x");
  }

  test("CREATEROLE and the right to create in the database are enough, also the second time", async () => {
    const target = await prepared("modest", modest, await ownerWith("createrole"));
    await modest.query(target.serviceUrl, "create table works ()");
    await prepareSchema(target);
    expect(await modest.query(target.serviceUrl, "select from works")).toEqual([]);
  });

  test("a database that it makes itself is its own, and shut to strangers", async () => {
    const ownerUrl = await ownerWith("createrole createdb");
    const serviceUrl = modest.urlFor(modest.newRole(), PASSWORD, modest.newRole());
    await prepareSchema({ ownerUrl, serviceUrl, schema: "own" });
    const [row] = await modest.query(
      serviceUrl,
      "select array(select grantee::regrole::text from aclexplode(datacl)) as grantees from pg_database where datname = current_database()",
    );
    expect(row?.["grantees"]).not.toContain("-");
  });

  test("a database that somebody else has shut: what its owner has to grant is said", async () => {
    await prepared("first", modest);
    await expect(prepared("second", modest, await ownerWith("createrole"))).rejects.toThrow(
      /may not connect, and who owns the database ".*" has to say: grant connect on database/,
    );
  });

  test("without CREATEROLE it is told what it may not do", async () => {
    const attempt = prepared("refused", modest, await ownerWith(""));
    await expect(attempt).rejects.toThrow(DatabaseSetupError);
    await expect(attempt).rejects.toThrow(/may not do this .* permission denied to create role/);
  });
});

describe("what happens when an extension is wanted", () => {
  test("it is there, for every schema; one that the server has not is passed over", async () => {
    const role = bench.newRole();
    const target = { ownerUrl: bench.ownerUrl, serviceUrl: bench.urlFor(role, PASSWORD), schema: "extended" };
    for (let time = 0; time < 2; time += 1)
      await prepareSchema({ ...target, extensions: ["pg_trgm", "no_such_extension"] });
    await bench.query(target.serviceUrl, "create table t (name text)");
    await bench.query(target.serviceUrl, "create index on t using gin (name public.gin_trgm_ops)");
  });
});

describe("what happens when it cannot be done", () => {
  const failing = (ownerUrl: string, serviceUrl: string, schema = "x") =>
    prepareSchema({ ownerUrl, serviceUrl, schema }).then(
      () => "no error",
      (error: Error) => `${error.name}: ${error.message}`,
    );

  test("the server is away: its address, and nothing secret", async () => {
    const text = await failing("postgres://owner:hush@127.0.0.1:1/x", "postgres://service:hush@127.0.0.1:1/x");
    expect(text).toBe("DatabaseSetupError: PostgreSQL at 127.0.0.1:1 does not serve: connect ECONNREFUSED 127.0.0.1:1");
  });

  test("the owner's password is wrong: whose, and nothing secret", async () => {
    const owner = new URL(bench.ownerUrl);
    owner.password = "hush";
    const text = await failing(owner.href, bench.urlFor(bench.newRole(), "hush"));
    expect(text).toMatch(/^DatabaseSetupError: PostgreSQL at .* refuses: password authentication failed for user ".+"/);
    expect(text).not.toContain("hush");
  });

  test("the service's role is the owner's", async () => {
    expect(await failing(bench.ownerUrl, bench.ownerUrl)).toContain("must name a role of its own");
  });

  test("the schema is somebody else's", async () => {
    await bench.query(bench.ownerUrl, "create schema taken");
    expect(await failing(bench.ownerUrl, bench.urlFor(bench.newRole(), "x"), "taken")).toContain('"taken" belongs to');
  });

  test("a failure leaves nothing half made", async () => {
    const role = bench.newRole();
    await failing(bench.ownerUrl, bench.urlFor(role, "x"), "taken");
    expect(await bench.query(bench.ownerUrl, `select from pg_roles where rolname = '${role}'`)).toEqual([]);
  });
});

test("what happens to the password in the server's statements: only its verifier is there", async () => {
  const { role } = await prepared("hidden");
  const [row] = await bench.query(
    bench.ownerUrl,
    `select rolpassword as password from pg_authid where rolname = '${role}'`,
  );
  expect(row?.["password"]).toMatch(/^SCRAM-SHA-256\$4096:/);
});
