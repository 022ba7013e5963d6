import { databaseUrl, prepareDatabases, runOrThrow } from "@gatehouse/local-stack";
import { connectDatabase, queryOnce } from "@gatehouse/test-kit/system";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import type { DrillSystem } from "../system.ts";

/** By `schema.table`: the number of rows, and a checksum of them in any order. */
export type Tables = ReadonlyMap<string, { readonly rows: number; readonly checksum: string }>;

/** Reads in the client's transaction. */
export async function readTables(client: pg.Client): Promise<Tables> {
  const tables = new Map<string, { rows: number; checksum: string }>();
  for (const table of await listTables(client)) {
    const { rows } = await client.query<{ rows: number; checksum: string }>(
      `select count(*)::int as rows, coalesce(md5(string_agg(hash, '' order by hash)), '') as checksum
       from (select md5(row::text) as hash from ${table} as row) as hashes`,
    );
    if (rows[0]) tables.set(table, rows[0]);
  }
  return tables;
}

/** Returns a line for each table that differs. */
export function compareTables(expected: Tables, found: Tables): string[] {
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((table) => {
    const [before, after] = [expected.get(table), found.get(table)];
    if (before?.checksum === after?.checksum && before?.rows === after?.rows) return [];
    return [`${table} had ${before?.rows ?? "no"} rows and has ${after?.rows ?? "none"}`];
  });
}

async function listTables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('auth', 'users') order by 1`,
  );
  return rows.map(({ name }) => name);
}

export type Dump = Awaited<ReturnType<typeof takeDump>>;

/** Dumps what the client's open transaction sees: by pg_dump, or by COPY where pg_dump is missing or older than the server. */
export async function takeDump({ databaseUrls, servers }: DrillSystem, client: pg.Client) {
  const { owner } = databaseUrls;
  const folder = join(servers.postgres.folder, "dump");
  await mkdir(folder, { recursive: true });
  // The server runs as another user and writes here.
  await chmod(folder, 0o777);
  const { rows } = await client.query<{ snapshot: string; version: number }>(
    "select pg_export_snapshot() as snapshot, current_setting('server_version_num')::int / 10000 as version",
  );
  const { snapshot = "", version = 0 } = rows[0] ?? {};
  // As `pnpm migrate up` does: database, roles, schemas, tables.
  const prepare = () => prepareDatabases({ ownerUrl: owner, serviceUrls: databaseUrls });
  const printed = await runOrThrow("pg_dump", ["--version"], process.env).catch(() => "");
  if (Number(/\d+/.exec(printed)?.[0]) >= version) {
    const file = join(folder, "gatehouse.dump");
    const args = ["--format=custom", "--schema=auth", "--schema=users", `--file=${file}`, `--snapshot=${snapshot}`];
    await runOrThrow("pg_dump", [...args, owner], process.env);
    return {
      by: "pg_dump",
      async restore() {
        await prepare();
        await queryOnce(owner, "drop schema auth, users cascade");
        const how = ["--exit-on-error", "--single-transaction", `--dbname=${owner}`, file];
        await runOrThrow("pg_restore", how, process.env);
      },
    };
  }
  const tables = await listTables(client);
  const fileOf = (table: string) => client.escapeLiteral(join(folder, `${table}.copy`));
  for (const table of tables) await client.query(`copy ${table} to ${fileOf(table)}`);
  return {
    by: "COPY in one snapshot (no pg_dump of the server's version)",
    async restore() {
      await prepare();
      await using superuser = await connectDatabase(databaseUrl(servers.postgres.url, "gatehouse"));
      // Foreign keys are only satisfied at the end.
      await superuser.query("begin; set local session_replication_role = replica");
      await superuser.query(`truncate ${tables.join(", ")}`);
      for (const table of tables) await superuser.query(`copy ${table} from ${fileOf(table)}`);
      await superuser.query("commit");
    },
  };
}
