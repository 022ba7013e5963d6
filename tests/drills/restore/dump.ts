import { prepareDatabases, runCommand } from "@gatehouse/local-stack";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import type { System } from "../system/system.ts";
import { tablesOf } from "./ledger.ts";

const LIMIT_MS = 300_000;

/** A dump of both schemas at one moment. */
export interface Dump {
  /** What made it. */
  readonly by: string;
  /** Puts it back into a server on which there is neither database nor roles. */
  restore(): Promise<void>;
}

/** What a dump needs of the system. */
export interface Source {
  readonly databaseUrls: System["databaseUrls"];
  /** Where the server may write. */
  readonly folder: string;
  /** Connects to the database of the system, as the superuser, who may have the server write files. */
  readonly connect: () => Promise<pg.Client>;
  /** The same as its owner, as operators do. */
  readonly connectAsOwner: () => Promise<pg.Client>;
}

/**
 * Dumps what `client` sees in its open transaction: by pg_dump where the machine has one that is no older than the server, else
 * by PostgreSQL's own COPY, table by table, of the same snapshot.
 */
export async function takeDump(source: Source, client: pg.Client): Promise<Dump> {
  await mkdir(source.folder, { recursive: true });
  // The server runs as another user.
  await chmod(source.folder, 0o777);
  const { rows } = await client.query<{ snapshot: string; version: number }>(
    "select pg_export_snapshot() as snapshot, current_setting('server_version_num')::int / 10000 as version",
  );
  const { snapshot = "", version = 0 } = rows[0] ?? {};
  return (await pgDumpVersion()) >= version ? await dumpByProgram(source, snapshot) : await dumpByCopy(source, client);
}

async function dumpByProgram(source: Source, snapshot: string): Promise<Dump> {
  const file = join(source.folder, "gatehouse.dump");
  const url = source.databaseUrls.owner;
  const what = ["--format=custom", "--schema=auth", "--schema=users", `--file=${file}`];
  await run("pg_dump", [...what, `--snapshot=${snapshot}`, url]);
  return {
    by: "pg_dump",
    async restore() {
      await prepare(source);
      await withClient(source.connectAsOwner, (client) => client.query("drop schema auth, users cascade"));
      await run("pg_restore", ["--exit-on-error", "--single-transaction", `--dbname=${url}`, file]);
    },
  };
}

async function dumpByCopy(source: Source, client: pg.Client): Promise<Dump> {
  const tables = await tablesOf(client);
  const fileOf = (table: string) => client.escapeLiteral(join(source.folder, `${table}.copy`));
  for (const table of tables) await client.query(`copy ${table} to ${fileOf(table)}`);
  return {
    by: "COPY in one snapshot, there being no pg_dump of the server's version",
    async restore() {
      await prepare(source);
      await withClient(source.connect, async (restorer) => {
        // Foreign keys hold when all is there.
        await restorer.query("begin; set local session_replication_role = replica");
        await restorer.query(`truncate ${tables.join(", ")}`);
        for (const table of tables) await restorer.query(`copy ${table} from ${fileOf(table)}`);
        await restorer.query("commit");
      });
    },
  };
}

/** As `pnpm migrate up` does with DATABASE_URL: database, roles, schemas, tables. */
async function prepare({ databaseUrls }: Source): Promise<void> {
  await prepareDatabases({ ownerUrl: databaseUrls.owner, serviceUrls: databaseUrls });
}

async function withClient(connect: Source["connect"], work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = await connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** 0 when there is none. */
async function pgDumpVersion(): Promise<number> {
  const { ok, stdout } = await runCommand("pg_dump", ["--version"], { environment: process.env });
  return ok ? Number(/\d+/.exec(stdout)?.[0]) : 0;
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const { ok, reason } = await runCommand(command, args, { environment: process.env, withinMs: LIMIT_MS });
  if (!ok) throw new Error(`${command}: ${reason}`);
}
