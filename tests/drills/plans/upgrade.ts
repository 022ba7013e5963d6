import type { ServiceName } from "@gatehouse/local-stack";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { runPnpm } from "../system/command.ts";
import { roll } from "../system/roll.ts";
import type { System } from "../system/system.ts";
import { addContraction, addExpansion } from "../upgrade/drill-migrations.ts";
import type { Chapter, Drill, Step } from "./plan.ts";

/** How long somebody reads the tables that the migrations change; more than a migration waits for them. */
const REPORT_MS = 4_000;

/** Whoever is asked knows more than who asks. */
const FORWARD: readonly ServiceName[] = ["auth", "user", "gateway"];
const BACK = FORWARD.toReversed();

interface MigrateUp {
  readonly services: readonly { readonly service: string; readonly applied: readonly string[] }[];
}

/** @param trees the roots of the old build and of the new one */
export function upgradeChapters({ old, next }: { readonly old: string; readonly next: string }): readonly Chapter[] {
  const restart = (order: readonly ServiceName[], tree: string, which: string): Step => ({
    title: `restart ${order.join(", ")} with the ${which} build`,
    async run({ system }) {
      for (const service of order) await roll(system, service, {}, tree);
    },
  });
  const migrate = (title: string, prepare: (tree: string) => Promise<void>): Step => ({
    title,
    async run(drill) {
      await prepare(next);
      await Promise.all([migrateUp(drill, next), readForLong(drill.system)]);
    },
  });
  return [
    {
      name: "upgrade",
      steps: [
        migrate("`pnpm migrate up` of the new build, which expands", addExpansion),
        restart(FORWARD, next, "new"),
      ],
    },
    {
      name: "roll back",
      steps: [restart(BACK, old, "old"), restart(FORWARD, next, "new")],
    },
    { name: "contract", steps: [migrate("`pnpm migrate up` of the build after it, which contracts", addContraction)] },
  ];
}

async function migrateUp({ system, note }: Drill, tree: string): Promise<void> {
  const { owner, auth, user } = system.databaseUrls;
  const urls = { DATABASE_URL: owner, AUTH_DATABASE_URL: auth, USER_DATABASE_URL: user };
  const { services } = await runPnpm<MigrateUp>("migrate", ["up"], { PATH: process.env["PATH"], ...urls }, tree);
  for (const { service, applied } of services) {
    if (applied.length === 0) throw new Error(`${service} had nothing to migrate`);
    note(`${service}: applied ${applied.join(", ")}`);
  }
}

/** As a report or a dump does, in one transaction. */
async function readForLong({ databaseUrls }: System): Promise<void> {
  const report = new pg.Client({ connectionString: databaseUrls.owner });
  await report.connect();
  try {
    await report.query("begin");
    for (const table of ["auth.accounts", "users.users"]) await report.query(`select from ${table} limit 1`);
    await delay(REPORT_MS);
    await report.query("commit");
  } finally {
    await report.end();
  }
}
