// pnpm bench:events: how many events a second go from outbox to projection, and what becomes of each. See --help.
import { databaseUrl } from "@gatehouse/local-stack";
import { parseCount } from "@gatehouse/test-kit/command";
import { STREAMS } from "@gatehouse/contracts";
import { connectBus, startRelay } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { Option } from "commander";
import { type Kysely, sql } from "kysely";
import { setTimeout as pause } from "node:timers/promises";
import { startConsumerProcess } from "./events/consumer-process.ts";
import { breakThings } from "./events/faults.ts";
import { drawUpLedger } from "./events/ledger.ts";
import { insertSources, writeEvents } from "./events/source.ts";
import { type BenchTables, createBenchDatabase, openDatabase } from "./events/tables.ts";
import { benchCommand, type BenchResult } from "./support/command.ts";
import { capacity, cpuSecondsOfRun } from "./support/cpu.ts";
import { createRandom } from "./support/random.ts";
import { progress } from "./support/report.ts";
import { type BenchServers, startServers } from "./support/servers.ts";

interface Options {
  readonly events: number;
  readonly faults?: boolean;
  readonly seed: number;
}

/** Each user is changed so often. */
const VERSIONS = 10;
const STUCK_MS = 60_000;

async function bench(options: Options): Promise<BenchResult> {
  const servers = await startServers();
  try {
    await createBenchDatabase(servers.postgres.url);
    return await measure(options, servers);
  } finally {
    await servers.stop();
  }
}

async function measure(
  { events, faults = false, seed }: Options,
  { postgres, nats }: BenchServers,
): Promise<BenchResult> {
  const url = databaseUrl(postgres.url, "bench");
  if (faults) console.error(`seed ${seed}`);
  // What faults make services complain about is no news here.
  const logger = createLogger({ service: "bench", level: faults ? "silent" : "warn" });
  const { db, close } = openDatabase(url, "bench");
  const bus = connectBus({ url: nats.url, name: "bench", logger });
  const relay = startRelay({ db, bus, stream: STREAMS.user, replicas: 1, logger, retentionSeconds: 86_400 });
  const ids = await insertSources(db, Math.ceil(events / VERSIONS));
  const total = ids.length * VERSIONS;
  await until(() => relay.status().connected, "the relay's connection");
  const consumer = startConsumerProcess({ DATABASE_URL: url, NATS_URL: nats.url });
  const stopping = new AbortController();
  try {
    const [begun, cpuBegun] = [performance.now(), cpuSecondsOfRun()];
    const targets = { nats, bus, consumer, superuserUrl: postgres.url, databaseUrl: url };
    const breaking = faults ? breakThings(targets, createRandom(seed), stopping.signal) : undefined;
    const applying = untilApplied(db, total, () => ({ relay: relay.status(), consumer: consumer.state() }));
    await writeEvents({ db, relay, versions: VERSIONS }, ids);
    const written = performance.now();
    stopping.abort();
    const broken = await breaking;
    await applying;
    const seconds = (performance.now() - begun) / 1_000;
    const cpuEach = (cpuSecondsOfRun() - cpuBegun) / total;
    await until(bus.isConnected, "the connection to NATS");
    const ledger = await drawUpLedger(db, bus, logger);
    const rate = Math.round(total / seconds);
    const figures = {
      events: total,
      seconds,
      writingSeconds: (written - begun) / 1_000,
      rate,
      cpuSecondsEach: cpuEach,
      faults: broken,
      ...(faults && { seed }),
      ledger,
    };
    const passed =
      ledger.lost + ledger.invented + ledger.deadLetters + ledger.differing === 0 && ledger.written === total;
    return { passed, figures, lines: describe(figures) };
  } finally {
    await consumer.stop();
    await relay.close();
    await bus.close();
    await close();
  }
}

type Figures = {
  readonly events: number;
  readonly seconds: number;
  readonly rate: number;
  readonly cpuSecondsEach: number;
  readonly faults: Record<string, number> | undefined;
  readonly ledger: object;
};

function describe({ events, seconds, rate, cpuSecondsEach, faults, ledger }: Figures): string[] {
  const list = (counts: object) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ");
  return [
    `${events} events from outbox to projection in ${seconds.toFixed(1)} s: ${rate}/s`,
    `CPU of everything together: ${(cpuSecondsEach * 1e6).toFixed(0)} µs an event, so at most ${capacity(cpuSecondsEach).toFixed(0)}/s on these cores alone`,
    ...(faults === undefined ? [] : [`faults: ${list(faults)}`]),
    list(ledger),
  ];
}

/**
 * Resolves when the projection holds the last version of every row.
 * @throws when nothing comes any more, with what `parts` says of itself then
 */
async function untilApplied(db: Kysely<BenchTables>, total: number, parts: () => object): Promise<void> {
  let [applied, since] = [0, performance.now()];
  let refusal: string | undefined;
  while (applied < total) {
    await pause(500);
    // Connections may be cut at any time: then it is asked again.
    const now = await sql<{ sum: string | null }>`select sum(version) from copies`.execute(db).then(
      ({ rows }) => {
        refusal = undefined;
        return Number(rows[0]?.sum ?? 0);
      },
      (error: unknown) => {
        refusal = String(error);
        return applied;
      },
    );
    if (now > applied) [applied, since] = [now, performance.now()];
    if (performance.now() - since > STUCK_MS)
      throw new Error(
        `no event was applied for 60 s, after ${applied} of ${total}: ${JSON.stringify({ ...parts(), refusal })}`,
      );
    progress("events applied", applied, total);
  }
}

/** @throws when it does not come about within a minute */
async function until(condition: () => boolean, what: string): Promise<void> {
  for (const begun = performance.now(); !condition(); await pause(20))
    if (performance.now() - begun > STUCK_MS) throw new Error(`${what} has not come about within 60 s`);
}

await benchCommand(
  "bench:events",
  `Events through an outbox, JetStream and a consumer that keeps a copy of what they tell of, on servers of the run's own that keep what
they acknowledge: the rate from the first written to the last applied, and what became of each. Writers and relay are one
process, the consumer another. A transaction changes 50 rows and writes an event for each.`,
  bench,
)
  .addOption(new Option("--events <count>", "how many").argParser(parseCount).default(200_000))
  .option("--faults", "kill NATS, cut database connections, kill the consumer, repeat events, over and over")
  .addOption(
    new Option("--seed <number>", "of the faults")
      .argParser(parseCount)
      .default(Math.ceil(Math.random() * 1e6), "a new one"),
  )
  .parseAsync();
