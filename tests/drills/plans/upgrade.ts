import { REPOSITORY_ROOT, runCommand, type ServiceName } from "@gatehouse/local-stack";
import { note } from "@gatehouse/test-kit/run";
import { connectDatabase } from "@gatehouse/test-kit/system";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Procedure, Step } from "../plan.ts";
import { type DrillSystem, restartRolling, runPnpm } from "../system.ts";

/** How long a transaction reads the tables that a migration changes: longer than the migration waits for a lock. */
const REPORT_MS = 4_000;
const INSTALL_MS = 300_000;

/** A callee is upgraded before its callers. */
const FORWARD: readonly ServiceName[] = ["auth", "user", "gateway"];

/** The busiest table of each service. */
const TABLES = { auth: "accounts", user: "users" };

/** Migrations of a release by file, up and down; they sort after all others. */
const COLUMN = ["add column drill_note text not null default 'none'", "drop column drill_note"] as const;
const EXPAND: Migrations = {
  "29990101T0000_drill_add_column.ts": (table) => COLUMN.map((change) => `alter table ${table} ${change}`),
  "29990101T0001_drill_add_index.ts": (table) => [
    `create index concurrently ${table}_drill_index on ${table} (drill_note, id)`,
    `drop index concurrently ${table}_drill_index`,
  ],
};
/** The release after it. */
const CONTRACT: Migrations = {
  "29990101T0002_drill_drop_column.ts": (table) =>
    COLUMN.map((change) => `alter table ${table} ${change}`).toReversed(),
};
type Migrations = Readonly<Record<string, (table: string) => string[]>>;

/** @param trees the roots of the old and the new build */
export function upgradeProcedures({ old, next }: Readonly<Record<"old" | "next", string>>): readonly Procedure[] {
  const restart = (order: readonly ServiceName[], tree: string): Step => ({
    title: `restart ${order.join(", ")} with the ${tree === old ? "old" : "new"} build`,
    async run({ system }) {
      for (const service of order) await restartRolling(system, service, {}, tree);
    },
  });
  const migrate = (title: string, migrations: Migrations): Step => ({
    title,
    async run({ system }) {
      await addMigrations(next, migrations);
      await Promise.all([migrateUp(system, next), readForLong(system)]);
    },
  });
  const expand = migrate("`pnpm migrate up` of the new build, which expands", EXPAND);
  const contract = migrate("`pnpm migrate up` of the build after it, which contracts", CONTRACT);
  return [
    { name: "upgrade", steps: [expand, restart(FORWARD, next)] },
    { name: "roll back", steps: [restart(FORWARD.toReversed(), old), restart(FORWARD, next)] },
    { name: "contract", steps: [contract] },
  ];
}

async function addMigrations(tree: string, migrations: Migrations): Promise<void> {
  for (const [service, table] of Object.entries(TABLES))
    for (const [file, statementsFor] of Object.entries(migrations)) {
      const [up = "", down = ""] = statementsFor(table);
      const text = `import { type Kysely, sql } from "kysely";
${up.includes("concurrently") ? "export const inTransaction = false;" : ""}
export const up = (db: Kysely<never>) => sql\`${up}\`.execute(db);
export const down = (db: Kysely<never>) => sql\`${down}\`.execute(db);
`;
      await writeFile(join(tree, "services", service, "src/db/migrations", file), text);
    }
}

async function migrateUp({ databaseUrls: { owner, auth, user } }: DrillSystem, tree: string): Promise<void> {
  const environment = { DATABASE_URL: owner, AUTH_DATABASE_URL: auth, USER_DATABASE_URL: user };
  type Applied = { readonly services: readonly { readonly service: string; readonly applied: readonly string[] }[] };
  const { services } = await runPnpm<Applied>("migrate", ["up"], { PATH: process.env["PATH"], ...environment }, tree);
  for (const { service, applied } of services) {
    if (applied.length === 0) throw new Error(`${service} had nothing to migrate`);
    note(`${service}: applied ${applied.join(", ")}`);
  }
}

/** Reads in one long transaction, as a report or a dump does. */
async function readForLong({ databaseUrls }: DrillSystem): Promise<void> {
  await using report = await connectDatabase(databaseUrls.owner);
  await report.query("begin");
  for (const table of ["auth.accounts", "users.users"]) await report.query(`select from ${table} limit 1`);
  await delay(REPORT_MS);
  await report.query("commit");
}

/**
 * Installs a revision in a folder of its own below `folder`.
 * @param revision a tag, a branch or a commit; the working tree, committed or not, unless given
 * @returns its root
 * @throws Error when git does not know the revision or pnpm cannot install it
 */
export async function installBuild(folder: string, revision?: string): Promise<string> {
  const root = join(folder, revision === undefined ? "new" : "old");
  const archive = `${root}.tar`;
  // An index of its own leaves the user's index alone.
  const environment = { ...process.env, GIT_INDEX_FILE: `${root}.index` };
  if (revision === undefined) await run("git", ["add", "--all"], { environment });
  const tree = revision ?? (await run("git", ["write-tree"], { environment })).trim();
  await mkdir(root);
  await run("git", ["archive", "--output", archive, tree], {});
  await run("tar", ["--extract", "--file", archive, "--directory", root], {});
  // The services need no install scripts, which prepare servers and git hooks.
  const install = ["install", "--frozen-lockfile", "--prefer-offline", "--ignore-scripts"];
  await run(process.env["npm_execpath"] ?? "pnpm", install, { folder: root });
  return root;
}

async function run(command: string, args: readonly string[], options: object): Promise<string> {
  const defaults = { folder: REPOSITORY_ROOT, environment: process.env, withinMs: INSTALL_MS };
  const { ok, stdout, reason } = await runCommand(command, args, { ...defaults, ...options });
  if (!ok) throw new Error(`${command} ${args.join(" ")}: ${reason || stdout}`);
  return stdout;
}
