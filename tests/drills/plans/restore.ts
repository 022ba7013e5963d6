import { createRandom } from "@gatehouse/test-kit/system";
import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import { startLoad } from "../load/load.ts";
import { createTally } from "../load/tally.ts";
import { drawUp, type Report } from "../report.ts";
import { type Dump, type Source, takeDump } from "../restore/dump.ts";
import { differences, drawLedger, type Ledger } from "../restore/ledger.ts";
import { loseEverything, sourceOf } from "../restore/source.ts";
import { callWitnesses, type Witnesses } from "../restore/witnesses.ts";
import { runPnpm } from "../system/command.ts";
import type { RunOptions } from "../run.ts";
import { startSystem, type System } from "../system/system.ts";
import { type Chapter, perform, until } from "./plan.ts";

/** How long people go on before the dump and after it, and at the end. */
const LIVE_MS = 5_000;
const SETTLED_WITHIN_SECONDS = 60;

/** Makes the access tokens of before worthless. This and EVEN stand in docs/operations/backup-and-restore.md, which a test compares. */
export const END_TOKENS = "delete from auth.signing_keys";
/** Statements that all say 0 when everything is where it belongs. */
export const EVEN = [
  "select count(*) from auth.outbox where published_at is null",
  "select count(*) from users.outbox where published_at is null",
  `select count(*) from auth.accounts as a full join users.users as u using (id)
   where (a.email, a.role, a.is_active, a.is_verified, a.deleted_at, a.full_name)
     is distinct from (u.email, u.role, u.is_active, u.is_verified, u.deleted_at, u.full_name)`,
];

/**
 * Dumps a living system, lets it go on, loses everything and puts the dump back. Counts the requests of before and of after; no
 * request is sent in between.
 */
export async function runRestore(options: Omit<RunOptions, "chapters">): Promise<Report> {
  const { seed, rate: perSecond, note, signal, ...surroundings } = options;
  const system = await startSystem({ note, ...surroundings });
  const tally = createTally();
  const live = (random: string) =>
    startLoad({ nextUrl: system.balancer.next, perSecond, random: createRandom(random), tally });
  try {
    const witnesses = await callWitnesses(system.balancer.next);
    const { before, after } = restoreChapters(system, sourceOf(system), witnesses);
    const first = await live(seed);
    const drill = { system, note, signal, settleMs: 0 };
    const lost = await perform(before, { ...drill, load: first }).finally(() => first.stop());
    const restored = await perform(after, { ...drill, load: first });
    const second = await live(`${seed} again`);
    const again = {
      name: "after",
      steps: [{ title: "go on as before", run: () => delay(LIVE_MS, undefined, { signal }) }],
    };
    const last = await perform([again], { ...drill, load: second }).finally(() => second.stop());
    return drawUp(seed, second, [...lost, ...restored, ...last]);
  } finally {
    await system.stop();
  }
}

function restoreChapters(system: System, source: Source, witnesses: Witnesses): Record<"before" | "after", Chapter[]> {
  let taken: { readonly dump: Dump; readonly ledger: Ledger } | undefined;
  const services = Object.values(system.services).flat();
  const kept = () => {
    if (taken === undefined) throw new Error("there is no dump");
    return taken;
  };
  const before: Chapter = {
    name: "back up",
    steps: [
      { title: "live on it", run: ({ signal }) => delay(LIVE_MS, undefined, { signal }) },
      {
        title: "dump both schemas in one snapshot",
        async run({ note }) {
          taken = await inSnapshot(source, async (client) => ({
            ledger: await drawLedger(client),
            dump: await takeDump(source, client),
          }));
          note(`by ${taken.dump.by}: ${describe(taken.ledger)}`);
        },
      },
      {
        title: "go on, so that more is lost than the machine",
        async run({ signal }) {
          await witnesses.goOn();
          await delay(LIVE_MS, undefined, { signal });
        },
      },
    ],
  };
  const after: Chapter = {
    name: "restore",
    steps: [
      {
        title: "stop every service",
        run: async () => void (await Promise.all(services.map((service) => service.stop("SIGTERM")))),
      },
      { title: "lose database, roles, streams and counters", run: () => loseEverything(system) },
      {
        title: "put the dump back",
        async run() {
          await kept().dump.restore();
          const wrong = await inSnapshot(source, async (client) =>
            differences(kept().ledger, await drawLedger(client)),
          );
          if (wrong.length > 0) throw new Error(`what was restored is not what was dumped: ${wrong.join("; ")}`);
        },
      },
      {
        title: `\`${END_TOKENS}\``,
        run: () => inSnapshot(source, async (client) => void (await client.query(END_TOKENS))),
      },
      {
        title: "start auth, user, gateway",
        async run() {
          await Promise.all(services.map((service) => service.start()));
          await system.balancer.untilReady(system.services.gateway.length);
        },
      },
      { title: "log in, refresh and look as the people of then", run: () => witnesses.testify() },
      {
        title: "wait until the projections equal their sources",
        async run(drill) {
          const isSettled = () => inSnapshot(source, isEven);
          await until(drill, "the projections do not equal their sources", SETTLED_WITHIN_SECONDS, isSettled);
          await assertNoDeadLetters(system);
        },
      },
    ],
  };
  return { before: [before], after: [after] };
}

/** One transaction on one snapshot, as the superuser. */
async function inSnapshot<R>({ connect }: Source, work: (client: pg.Client) => Promise<R>): Promise<R> {
  const client = await connect();
  try {
    await client.query("begin isolation level repeatable read");
    const result = await work(client);
    await client.query("commit");
    return result;
  } finally {
    await client.end();
  }
}

/** Whether every event has arrived, and what each service shows of the other is what the other says. */
async function isEven(client: pg.Client): Promise<boolean> {
  for (const statement of EVEN) {
    const { rows } = await client.query<{ count: string }>(statement);
    if (rows[0]?.count !== "0") return false;
  }
  return true;
}

async function assertNoDeadLetters({ servers, natsEnvironment }: System): Promise<void> {
  const environment = {
    PATH: process.env["PATH"],
    NATS_URL: `nats://ops:${natsEnvironment["NATS_OPS_PASSWORD"]}@127.0.0.1:${servers.nats.port}`,
  };
  const { dead_letters: letters } = await runPnpm<{ dead_letters: unknown[] }>("ops", ["events", "dead"], environment);
  if (letters.length > 0) throw new Error(`${letters.length} events became dead letters`);
}

function describe(ledger: Ledger): string {
  return [...ledger].map(([table, { rows }]) => `${table} ${rows}`).join(", ");
}
