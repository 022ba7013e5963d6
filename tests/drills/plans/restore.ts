import { databaseUrl } from "@gatehouse/local-stack";
import { until } from "@gatehouse/test-kit/api";
import { createTally, listOf, note, type Report } from "@gatehouse/test-kit/run";
import { connectDatabase } from "@gatehouse/test-kit/system";
import type pg from "pg";
import { setTimeout as delay } from "node:timers/promises";
import { startLoad } from "../load.ts";
import { createReport, type Drill, perform, type Procedure } from "../plan.ts";
import { type DrillSystem, runPnpm, startDrillSystem } from "../system.ts";
import { compareTables, type Dump, readTables, type Tables, takeDump } from "./dump.ts";
import { createWitnesses } from "./witnesses.ts";

/** How long the load runs before the dump, after it, and at the end. */
const LOAD_MS = 5_000;
const SETTLED_WITHIN_MS = 60_000;

/** Invalidates all access tokens. This and EVEN are in docs/operations/backup-and-restore.md; a test compares them. */
export const END_TOKENS = "delete from auth.signing_keys";
/** Statements that return 0 when every event has arrived and each projection equals its source. */
export const EVEN = [
  "select count(*) from auth.outbox where published_at is null",
  "select count(*) from users.outbox where published_at is null",
  `select count(*) from auth.accounts as a full join users.users as u using (id)
   where (a.email, a.role, a.is_active, a.is_verified, a.deleted_at, a.full_name)
     is distinct from (u.email, u.role, u.is_active, u.is_verified, u.deleted_at, u.full_name)`,
];

interface RestoreOptions {
  readonly rate: number;
  readonly logs?: string;
  readonly signal: AbortSignal;
}

/** Dumps a system under load, loses everything, restores the dump, and counts the requests before and after. */
export async function runRestore({ rate, logs: logFolder, signal }: RestoreOptions): Promise<Report> {
  await using system = await startDrillSystem({ logFolder });
  const tally = createTally();
  const nextUrl = system.balancer.next;
  const { backUp, restore } = restoreProcedures(system, await createWitnesses(nextUrl));
  const first = await startLoad(nextUrl, rate, tally);
  const drill = { system, signal, settleMs: 0 };
  const before = await perform([backUp], { ...drill, load: first }).finally(first.stop);
  const restored = await perform([restore], { ...drill, load: first });
  const second = await startLoad(nextUrl, rate, tally);
  const resume = { name: "after", steps: [{ title: "run the load again", run: runLoad }] };
  const after = await perform([resume], { ...drill, load: second }).finally(second.stop);
  return createReport(second, [...before, ...restored, ...after]);
}

const runLoad = ({ signal }: Drill) => delay(LOAD_MS, undefined, { signal });

function restoreProcedures(
  system: DrillSystem,
  witnesses: Awaited<ReturnType<typeof createWitnesses>>,
): Record<"backUp" | "restore", Procedure> {
  const services = Object.values(system.services).flat();
  let dump: Dump | undefined;
  let tables: Tables = new Map();
  const backUp: Procedure = {
    name: "back up",
    steps: [
      { title: "run the load", run: runLoad },
      {
        title: "dump both schemas in one snapshot",
        async run() {
          await inSnapshot(system, async (client) => {
            tables = await readTables(client);
            dump = await takeDump(system, client);
          });
          note(`by ${dump?.by}: ${listOf(Object.fromEntries(tables), ({ rows }) => String(rows))}`);
        },
      },
      {
        title: "change more, which the dump does not have",
        async run(drill) {
          await witnesses.change();
          await runLoad(drill);
        },
      },
    ],
  };
  const restore: Procedure = {
    name: "restore",
    steps: [
      { title: "stop every service", run: () => Promise.all(services.map((service) => service.stop("SIGTERM"))) },
      { title: "lose database, roles, streams and counters", run: () => loseEverything(system) },
      {
        title: "restore the dump",
        async run() {
          await dump?.restore();
          const wrong = await inSnapshot(system, async (client) => compareTables(tables, await readTables(client)));
          if (wrong.length > 0) throw new Error(`the restored tables differ from the dump: ${wrong.join("; ")}`);
        },
      },
      { title: `\`${END_TOKENS}\``, run: () => inSnapshot(system, (client) => client.query(END_TOKENS)) },
      {
        title: "start auth, user, gateway",
        async run() {
          await Promise.all(services.map((service) => service.start()));
          await system.balancer.untilReady(system.services.gateway.length);
        },
      },
      { title: "check tokens, sessions and passwords of before", run: () => witnesses.check() },
      {
        title: "wait until the projections equal their sources",
        async run({ signal }) {
          const what = "the projections equal their sources";
          await until(() => inSnapshot(system, isEven), SETTLED_WITHIN_MS, { what, everyMs: 250, signal });
          await assertNoDeadLetters(system);
        },
      },
    ],
  };
  return { backUp, restore };
}

/** Drops the database and its roles, and wipes NATS and Redis. */
async function loseEverything({ servers }: DrillSystem): Promise<void> {
  await using superuser = await connectDatabase(servers.postgres.url);
  await superuser.query("drop database gatehouse with (force)");
  await superuser.query("drop role gatehouse_auth, gatehouse_user");
  await servers.nats.restart({ wipe: true });
  await servers.redis.restart({ wipe: true });
}

/** Runs one transaction on one snapshot, as the superuser. */
async function inSnapshot<R>({ servers }: DrillSystem, work: (client: pg.Client) => Promise<R>): Promise<R> {
  await using client = await connectDatabase(databaseUrl(servers.postgres.url, "gatehouse"));
  await client.query("begin isolation level repeatable read");
  const result = await work(client);
  await client.query("commit");
  return result;
}

async function isEven(client: pg.Client): Promise<boolean> {
  for (const statement of EVEN)
    if ((await client.query<{ count: string }>(statement)).rows[0]?.count !== "0") return false;
  return true;
}

async function assertNoDeadLetters({ servers, natsEnvironment }: DrillSystem): Promise<void> {
  const url = `nats://ops:${natsEnvironment["NATS_OPS_PASSWORD"]}@127.0.0.1:${servers.nats.port}`;
  const environment = { PATH: process.env["PATH"], NATS_URL: url };
  const { dead_letters: letters } = await runPnpm<{ dead_letters: unknown[] }>("ops", ["events", "dead"], environment);
  if (letters.length > 0) throw new Error(`${letters.length} events became dead letters`);
}
