import pg from "pg";

export interface SchemaOptions {
  /** DATABASE_URL: a role that may create roles and schemas (a superuser, or CREATEROLE with CREATE on the database). */
  readonly ownerUrl: string;
  /** The service's own URL; its role, password and database are made as it says. */
  readonly serviceUrl: string;
  readonly schema: string;
}

/** Held while roles are made: PostgreSQL answers "tuple concurrently updated" when two do it at once. */
const PREPARATION_LOCK = 7_142_530_115;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Makes a service's database, role and schema, so that the role has rights on its own schema only and finds its tables
 * there without naming it. Changes nothing that is as it should be; several may run it at once.
 */
export async function prepareSchema({ ownerUrl, serviceUrl, schema }: SchemaOptions): Promise<void> {
  const { database, user, password } = parts(serviceUrl);
  await withClient(ownerUrl, async (owner) => {
    await underLock(owner, async () => {
      await createRole(owner, user, password);
      await createDatabase(owner, database);
    });
  });
  await withClient(withDatabase(ownerUrl, database), async (owner) => {
    await underLock(owner, () => createSchema(owner, { database, user, schema }));
  });
}

async function createRole(owner: pg.Client, user: string, password: string): Promise<void> {
  const { rowCount } = await owner.query("select from pg_roles where rolname = $1", [user]);
  const verb = rowCount === 0 ? "create" : "alter";
  const secret = password === "" ? "" : `password ${owner.escapeLiteral(password)}`;
  await owner.query(`${verb} role ${owner.escapeIdentifier(user)} login ${secret}`);
}

async function createDatabase(owner: pg.Client, database: string): Promise<void> {
  const { rowCount } = await owner.query("select from pg_database where datname = $1", [database]);
  if (rowCount === 0) await owner.query(`create database ${owner.escapeIdentifier(database)}`);
}

async function createSchema(owner: pg.Client, target: { database: string; user: string; schema: string }) {
  const [database, user, schema] = [target.database, target.user, target.schema].map((name) =>
    owner.escapeIdentifier(name),
  );
  // Without being a member of the role, an owner who is no superuser may not give it a schema (PostgreSQL 16).
  const { rows } = await owner.query<{ member: boolean }>("select pg_has_role(current_user, $1, 'set') as member", [
    target.user,
  ]);
  if (rows[0]?.member !== true) await owner.query(`grant ${user} to current_user with set true`);
  await owner.query(`revoke all on database ${database} from public`);
  await owner.query(`grant connect on database ${database} to ${user}`);
  await owner.query("revoke all on schema public from public");
  await owner.query(`create schema if not exists ${schema} authorization ${user}`);
  await owner.query(`alter role ${user} set search_path = ${schema}`);
}

function parts(url: string): { database: string; user: string; password: string } {
  const { pathname, username, password } = new URL(url);
  const database = decodeURIComponent(pathname.slice(1));
  const user = decodeURIComponent(username);
  if (database === "" || user === "") throw new Error("the service's database URL must name a user and a database");
  return { database, user, password: decodeURIComponent(password) };
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(database)}`;
  return changed.toString();
}

async function withClient<R>(url: string, work: (client: pg.Client) => Promise<R>): Promise<R> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // A connection that breaks fails the statement in hand; without a listener it would end the process, too.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function underLock(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query("select pg_advisory_lock($1)", [PREPARATION_LOCK]);
  try {
    await work();
  } finally {
    await client.query("select pg_advisory_unlock($1)", [PREPARATION_LOCK]);
  }
}
