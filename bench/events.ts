// pnpm bench:events: events a second from outbox to projection, and what happened to each. See --help.
import { newId, STREAMS } from "@gatehouse/contracts";
import { databaseUrl } from "@gatehouse/local-stack";
import { connectBus, createEvent, createTransact, startRelay } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { until } from "@gatehouse/test-kit/api";
import {
  countOption,
  createRandom,
  listOf,
  note,
  type Report,
  reportCommand,
  seedOption,
  showCount,
} from "@gatehouse/test-kit/run";
import { queryOnce, startServers } from "@gatehouse/test-kit/system";
import { type Kysely, sql } from "kysely";
import { setTimeout as pause } from "node:timers/promises";
import { breakThings, startProjection } from "./events/faults.ts";
import { compareEvents } from "./events/ledger.ts";
import { type BenchTables, createTables, openDatabase } from "./events/tables.ts";
import { capacityOf, cpuSecondsOfRun } from "./support/processes.ts";

/** Changes of each user. */
const VERSIONS = 10;
/** Users that one transaction changes, and transactions at a time. */
const A_TRANSACTION = 50;
const WRITERS = 2;
const STUCK_MS = 60_000;

interface Options {
  readonly events: number;
  readonly faults?: boolean;
  readonly seed: string;
}

async function bench({ events, faults = false, seed }: Options): Promise<Report> {
  if (faults) note(`seed ${seed}`);
  await using releases = new AsyncDisposableStack();
  const { servers } = releases.use(await startServers(["postgres", "nats"]));
  const { postgres, nats } = servers;
  await queryOnce(postgres.url, "create database bench");
  const url = databaseUrl(postgres.url, "bench");
  const { db, close } = openDatabase(url, "bench");
  releases.defer(close);
  await createTables(db);
  const logger = createLogger({ service: "bench", level: faults ? "silent" : "warn" });
  const bus = connectBus({ url: nats.url, name: "bench", logger });
  releases.defer(() => bus.close());
  const relay = startRelay({ db, bus, stream: STREAMS.user, replicas: 1, logger, retentionSeconds: 86_400 });
  releases.defer(() => relay.close());
  const ids = await insertSources(db, Math.ceil(events / VERSIONS));
  const total = ids.length * VERSIONS;
  await until(() => relay.status().connected, STUCK_MS, { what: "the relay is connected" });
  const projection = startProjection({ DATABASE_URL: url, NATS_URL: nats.url });
  releases.defer(() => projection.stop());

  const stopping = new AbortController();
  const [begun, cpuBegun] = [performance.now(), cpuSecondsOfRun()];
  const targets = { nats, bus, projection, superuserUrl: postgres.url, databaseUrl: url };
  const breaking = faults ? breakThings(targets, createRandom(seed), stopping.signal) : undefined;
  const applying = untilApplied(db, total, () => ({ relay: relay.status(), projection: projection.state() }));
  await writeEvents(createTransact({ db, relay }), ids);
  const writingSeconds = (performance.now() - begun) / 1_000;
  stopping.abort();
  const broken = await breaking;
  await applying;
  const seconds = (performance.now() - begun) / 1_000;
  const cpuSecondsEach = (cpuSecondsOfRun() - cpuBegun) / total;
  const ledger = await compareEvents(db, nats.url);
  const rate = Math.round(total / seconds);
  return {
    passed: ledger.lost + ledger.invented + ledger.deadLetters + ledger.differing === 0 && ledger.written === total,
    figures: { events: total, seconds, writingSeconds, rate, cpuSecondsEach, faults: broken, seed, ledger },
    lines: [
      `${total} events from outbox to projection in ${seconds.toFixed(1)} s: ${rate}/s`,
      `CPU of all processes: ${(cpuSecondsEach * 1e6).toFixed(0)} µs an event, so at most ${capacityOf(cpuSecondsEach).toFixed(0)}/s on these cores`,
      ...(broken === undefined ? [] : [`faults: ${listOf(broken)}`]),
      listOf({ ...ledger }),
    ],
  };
}

/** Inserts users at version 0, which has no event. */
async function insertSources(db: Kysely<BenchTables>, users: number): Promise<string[]> {
  const ids = Array.from({ length: users }, () => newId());
  for (let from = 0; from < users; from += 5_000) {
    const rows = ids.slice(from, from + 5_000).map((id) => ({ id, version: 0, full_name: "" }));
    await db.insertInto("sources").values(rows).execute();
  }
  return ids;
}

/** Raises every user step by step to the last version, each step with its event in one transaction. */
async function writeEvents(
  transact: ReturnType<typeof createTransact<BenchTables>>,
  ids: readonly string[],
): Promise<void> {
  const writeStep = (group: readonly string[], version: number) =>
    transact(async (trx, emit) => {
      const full_name = `Name ${version}`;
      const changed = await trx
        .updateTable("sources")
        .set({ version, full_name })
        .where("id", "in", group)
        .where("version", "=", version - 1)
        .returning("id")
        .execute();
      for (const { id } of changed) {
        const data = { user_id: id, full_name, changed: ["full_name"] };
        emit(createEvent({ source: "user", type: "user.profile.updated", subject: id, version, data }));
      }
    });
  // After a cut connection the commit is uncertain. The retry changes only rows that the first attempt did not.
  const persist = async (group: readonly string[], version: number) => {
    while (
      !(await writeStep(group, version).then(
        () => true,
        () => false,
      ))
    )
      await pause(50);
  };
  for (let version = 1; version <= VERSIONS; version += 1) {
    const starts = Array.from({ length: Math.ceil(ids.length / A_TRANSACTION) }, (_, index) => index * A_TRANSACTION);
    const left = starts.values();
    const writer = async () => {
      for (const start of left) await persist(ids.slice(start, start + A_TRANSACTION), version);
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));
  }
}

/** Waits until the projection has the last version of every row. @throws Error when it makes no progress for a minute */
async function untilApplied(db: Kysely<BenchTables>, total: number, states: () => object): Promise<void> {
  let [applied, since, failure] = [0, performance.now(), ""];
  while (applied < total) {
    await pause(500);
    try {
      const { rows } = await sql<{ sum: string | null }>`select sum(version) from copies`.execute(db);
      const now = Number(rows[0]?.sum ?? 0);
      if (now > applied) [applied, since] = [now, performance.now()];
    } catch (error) {
      // A fault may cut this connection, too.
      failure = String(error);
    }
    if (performance.now() - since > STUCK_MS)
      throw new Error(
        `no event applied for 60 s, after ${applied} of ${total}: ${JSON.stringify({ ...states(), failure })}`,
      );
    showCount("events applied", applied, total);
  }
}

await reportCommand(
  "pnpm bench:events",
  "Sends events through an outbox, JetStream and a consumer that keeps a copy: the rate from the first write to the last application, and " +
    "what happened to each event. A transaction changes 50 rows with an event each. The consumer is a process of its own.",
  bench,
)
  .addOption(countOption("events", "number of events", 200_000))
  .option("--faults", "kill NATS, cut database connections, kill the consumer, and repeat events")
  .addOption(seedOption())
  .parseAsync();
