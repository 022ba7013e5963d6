import type pg from "pg";
import { setTimeout as pause } from "node:timers/promises";
import { partsOf, withDatabase } from "./database-url.ts";
import { inLockedTransaction, withConnection } from "./owner-connection.ts";
import { scramVerifier } from "./scram-verifier.ts";
import { DatabaseSetupError, explainingFailures } from "./setup-error.ts";

export interface SchemaOptions {
  /** DATABASE_URL: a superuser, or a role with CREATEROLE and CREATE on the database (CREATEDB where the database is missing). */
  readonly ownerUrl: string;
  /**
   * The service's own URL, whose role, password and database are created. A role named after the schema's owner with a suffix, such as
   * `gatehouse_auth_b`, becomes a second login of the owner, so that passwords can be changed without an interruption.
   */
  readonly serviceUrl: string;
  readonly schema: string;
  /** Created where the server has them and the owner may create them; migrations must work without them. */
  readonly extensions?: readonly string[];
}

const LOCK = "gatehouse.prepare-schema";
/** Longer than any statement of a request, so that none holds its locks for ever; migrations lift it. */
const STATEMENT_TIMEOUT = "30s";
const IDLE_IN_TRANSACTION_TIMEOUT = "60s";
const ATTEMPTS = 10;

/**
 * Creates a service's database, role and schema. The role owns the schema, has no rights on others, and has it as its search_path. Existing
 * parts stay; any number of callers may run it at once.
 * @throws DatabaseSetupError when the server is unavailable, rejects the owner, or the owner lacks a permission
 */
export async function prepareSchema(options: SchemaOptions): Promise<void> {
  const { ownerUrl, serviceUrl } = options;
  const { database, user } = partsOf(serviceUrl);
  if (user === "" || user === partsOf(ownerUrl).user)
    throw new DatabaseSetupError(
      `the URL of the service with the schema "${options.schema}" must have a role of its own, not the owner's`,
    );
  const url = withDatabase(ownerUrl, database);
  await explainingFailures(url, async () => {
    await createDatabase(ownerUrl, database);
    await withConnection(url, (owner) => retryingRaces(() => prepare(owner, options)));
  });
}

async function prepare(owner: pg.Client, { serviceUrl, schema, extensions = [] }: SchemaOptions): Promise<void> {
  const { database, user, password } = partsOf(serviceUrl);
  const verifier = password === undefined ? undefined : await scramVerifier(password);
  await inLockedTransaction(owner, LOCK, async () => {
    await createRole(owner, user, verifier);
    await joinRole(owner, user);
    const schemaOwner = await createSchema(owner, schema, user);
    if (schemaOwner !== user) await grantLogin(owner, schemaOwner, user);
    await setRoleDefaults(owner, user, schema, schemaOwner);
    await revokePublicAccess(owner, database);
    await grantConnect(owner, database, user);
    for (const extension of extensions) await createExtension(owner, extension);
  });
}

async function createDatabase(ownerUrl: string, database: string): Promise<void> {
  try {
    await withConnection(withDatabase(ownerUrl, database), async () => {});
  } catch (error) {
    if (!isOneOf(error, "3D000")) throw error;
    const home = partsOf(ownerUrl).database;
    await withConnection(home === database ? withDatabase(ownerUrl, "postgres") : ownerUrl, async (owner) => {
      try {
        await owner.query(`create database ${owner.escapeIdentifier(database)} template template0 encoding 'UTF8'`);
      } catch (raced) {
        if (!isOneOf(raced, "42P04", "23505")) throw raced;
      }
    });
  }
}

async function createRole(owner: pg.Client, user: string, verifier: string | undefined): Promise<void> {
  const { rowCount } = await owner.query("select from pg_roles where rolname = $1", [user]);
  const secret = verifier === undefined ? "" : `password ${owner.escapeLiteral(verifier)}`;
  await owner.query(`${rowCount === 0 ? "create" : "alter"} role ${owner.escapeIdentifier(user)} login ${secret}`);
}

/** An owner that is not a superuser can give a schema only to a role of which it is a member. */
async function joinRole(owner: pg.Client, user: string): Promise<void> {
  const { rows } = await owner.query<{ member: boolean }>(
    `select pg_has_role($1, case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end) as member`,
    [user],
  );
  if (rows[0]?.member !== true) await owner.query(`grant ${owner.escapeIdentifier(user)} to current_user`);
}

/** Returns the schema's owner: `user`, or the role of which `user` is a second login. */
async function createSchema(owner: pg.Client, schema: string, user: string): Promise<string> {
  const [name, role] = [owner.escapeIdentifier(schema), owner.escapeIdentifier(user)];
  const { rows } = await owner.query<{ role: string }>(
    "select pg_get_userbyid(nspowner) as role from pg_namespace where nspname = $1",
    [schema],
  );
  const current = rows[0]?.role;
  if (current === undefined) await owner.query(`create schema ${name} authorization ${role}`);
  else if (current !== user && !user.startsWith(`${current}_`))
    throw new DatabaseSetupError(
      `the schema "${schema}" belongs to "${current}" and not to "${user}": change its owner or drop it. ` +
        `A second login of "${current}" must be named "${current}_b"`,
    );
  await owner.query(`revoke all on schema ${name} from public`);
  return current ?? user;
}

/** Its sessions act as the schema's owner (setRoleDefaults), so new tables belong to the owner. */
async function grantLogin(owner: pg.Client, schemaOwner: string, user: string): Promise<void> {
  const { rows } = await owner.query<{ member: boolean }>("select pg_has_role($1, $2, 'member') as member", [
    user,
    schemaOwner,
  ]);
  if (rows[0]?.member === true) return;
  await owner.query(`grant ${owner.escapeIdentifier(schemaOwner)} to ${owner.escapeIdentifier(user)}`);
}

/** Writes only changed settings, because concurrent `alter role` statements conflict. */
async function setRoleDefaults(owner: pg.Client, user: string, schema: string, schemaOwner: string): Promise<void> {
  const wanted = {
    ...(schemaOwner !== user && { role: schemaOwner }),
    search_path: owner.escapeIdentifier(schema),
    statement_timeout: STATEMENT_TIMEOUT,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT,
  };
  const { rows } = await owner.query<{ settings: string[] | null }>(
    `select setconfig as settings from pg_db_role_setting where setdatabase = 0 and setrole = $1::regrole`,
    [owner.escapeIdentifier(user)],
  );
  const current = new Set(rows[0]?.settings);
  for (const [setting, value] of Object.entries(wanted)) {
    if (current.has(`${setting}=${value}`)) continue;
    const literal = setting === "search_path" ? value : owner.escapeLiteral(value);
    await owner.query(`alter role ${owner.escapeIdentifier(user)} set ${setting} = ${literal}`);
  }
}

/** Where the owner owns the database, other roles need an explicit grant to connect or to create in the schema `public`. */
async function revokePublicAccess(owner: pg.Client, database: string): Promise<void> {
  const { rows } = await owner.query<{ database_is_mine: boolean; public_is_mine: boolean }>(
    `select pg_has_role(datdba, 'usage') as database_is_mine,
       coalesce((select pg_has_role(nspowner, 'usage') from pg_namespace where nspname = 'public'), false) as public_is_mine
     from pg_database where datname = current_database()`,
  );
  if (rows[0]?.database_is_mine)
    await owner.query(`revoke all on database ${owner.escapeIdentifier(database)} from public`);
  // Usage stays: extensions are installed there.
  if (rows[0]?.public_is_mine) await owner.query("revoke create on schema public from public");
}

async function grantConnect(owner: pg.Client, database: string, user: string): Promise<void> {
  const grant = `grant connect on database ${owner.escapeIdentifier(database)} to ${owner.escapeIdentifier(user)}`;
  // Raises only a notice when the owner lacks the right to grant.
  await owner.query(grant);
  const { rows } = await owner.query<{ may: boolean }>("select has_database_privilege($1, $2, 'connect') as may", [
    user,
    database,
  ]);
  if (rows[0]?.may !== true)
    throw new DatabaseSetupError(
      `"${user}" may not connect. The owner of the database "${database}" must run: ${grant}`,
    );
}

async function createExtension(owner: pg.Client, extension: string): Promise<void> {
  const { rowCount } = await owner.query(
    "select from pg_available_extensions where name = $1 and installed_version is null",
    [extension],
  );
  if (rowCount === 0) return;
  await owner.query("savepoint extension");
  try {
    await owner.query(`create extension ${owner.escapeIdentifier(extension)}`);
  } catch (error) {
    if (!isOneOf(error, "42501")) throw error;
    await owner.query("rollback to savepoint extension");
  }
}

/** Roles belong to the whole server, the lock to one database: callers in two databases may still update the same catalog row. */
async function retryingRaces(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      const raced =
        isOneOf(error, "42710", "23505", "40P01") ||
        (isOneOf(error, "XX000") && /tuple concurrently/.test((error as Error).message));
      if (!raced || attempt === ATTEMPTS) throw error;
      await pause(Math.random() * 50 * attempt);
    }
  }
}

function isOneOf(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(String((error as { code?: unknown } | null)?.code));
}
