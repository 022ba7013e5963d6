// pnpm bench:events: events a second from outbox to projection, and what happened to each. See --help.
import { newId, STREAMS } from "@gatehouse/contracts";
import { databaseUrl } from "@gatehouse/local-stack";
import { connectBus, createEvent, createTransact, startRelay } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { until } from "@gatehouse/test-kit/api";
import { countOption, inParallel, showCount } from "@gatehouse/test-kit/run";
import { openStreams, queryOnce, readStream, startServers } from "@gatehouse/test-kit/system";
import { type Kysely, sql } from "kysely";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type BenchTables, createTables, openDatabase } from "./events/tables.ts";
import { cpuSecondsByProgram } from "./support/processes.ts";
import { benchCommand } from "./support/report.ts";

/** Changes of each user. */
const VERSIONS = 10;
/** Users that one transaction changes, and transactions at a time. */
const A_TRANSACTION = 50;
const WRITERS = 2;
const STUCK_MS = 60_000;
const LEAST_RATE = 5_000;

async function bench({ events }: { readonly events: number }) {
  await using releases = new AsyncDisposableStack();
  const { servers } = releases.use(await startServers(["postgres", "nats"]));
  const { postgres, nats } = servers;
  await queryOnce(postgres.url, "create database bench");
  const url = databaseUrl(postgres.url, "bench");
  const { db, close } = openDatabase(url, "bench");
  releases.defer(close);
  await createTables(db);
  const logger = createLogger({ service: "bench", level: "warn" });
  const bus = connectBus({ url: nats.url, name: "bench", logger });
  releases.defer(() => bus.close());
  const relay = startRelay({ db, bus, stream: STREAMS.user, replicas: 1, logger, retentionSeconds: 86_400 });
  releases.defer(() => relay.close());
  const ids = await insertSources(db, Math.ceil(events / VERSIONS));
  const total = ids.length * VERSIONS;
  await until(() => relay.status().connected, STUCK_MS, { what: "the relay is connected" });
  const projection = spawn(process.execPath, [fileURLToPath(new URL("events/projection.ts", import.meta.url))], {
    env: { ...process.env, DATABASE_URL: url, NATS_URL: nats.url },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const ended = once(projection, "exit");
  releases.defer(async () => {
    projection.kill();
    await ended;
  });

  const [begun, cpuBegun] = [performance.now(), cpuSeconds()];
  const applying = untilApplied(db, total);
  await writeEvents(createTransact({ db, relay }), ids);
  await applying;
  const seconds = (performance.now() - begun) / 1_000;
  const cpuMicrosecondsEach = ((cpuSeconds() - cpuBegun) / total) * 1e6;
  const { written, ...wrong } = await compareEvents(db, nats.url);
  return {
    figures: { seconds, cpuMicrosecondsEach },
    bars: {
      "events a second": { figure: total / seconds, least: LEAST_RATE },
      "events written": { figure: written, most: total, least: total },
      ...Object.fromEntries(Object.entries(wrong).map(([name, figure]) => [name, { figure, most: 0 }])),
    },
  };
}

/** Of this process and all that it started. */
const cpuSeconds = () => Object.values(cpuSecondsByProgram()).reduce((sum, one) => sum + one, 0);

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
  for (let version = 1; version <= VERSIONS; version += 1)
    await inParallel(Math.ceil(ids.length / A_TRANSACTION), WRITERS, (index) =>
      writeStep(ids.slice(index * A_TRANSACTION, (index + 1) * A_TRANSACTION), version),
    );
}

/** Waits until the projection has the last version of every row. @throws Error when it makes no progress for a minute */
async function untilApplied(db: Kysely<BenchTables>, total: number): Promise<void> {
  for (let applied = 0; applied < total; showCount("events applied", applied, total)) {
    const before = applied;
    const hasProgress = async () => {
      const { rows } = await sql<{ sum: string | null }>`select sum(version) from copies`.execute(db);
      applied = Number(rows[0]?.sum ?? 0);
      return applied > before;
    };
    await until(hasProgress, STUCK_MS, { what: `the projection applies more than ${before} events`, everyMs: 500 });
  }
}

/** Compares what was written with the stream and the projection. */
async function compareEvents(db: Kysely<BenchTables>, natsUrl: string) {
  const written = new Set((await db.selectFrom("outbox").select("id").execute()).map(({ id }) => id));
  await using nats = await openStreams(natsUrl);
  const published = (await readStream(nats.connection, STREAMS.user.name)).map(({ event }) => event.id);
  const stored = new Set(published);
  const { rows } = await sql<{ differing: number }>`
    select count(*)::integer as differing from sources full join copies using (id)
    where (sources.version, sources.full_name) is distinct from (copies.version, copies.full_name)`.execute(db);
  return {
    written: written.size,
    lost: [...written].filter((id) => !stored.has(id)).length,
    invented: [...stored].filter((id) => !written.has(id)).length,
    "published twice": published.length - stored.size,
    "dead letters": (await nats.streams.info(STREAMS.deadLetters.name)).state.messages,
    "rows of the projection that differ": rows[0]?.differing ?? Number.NaN,
  };
}

await benchCommand(
  "pnpm bench:events",
  "Sends events through an outbox, JetStream and a consumer that keeps a copy: the rate from the first write to the last application, and " +
    "what happened to each event. A transaction changes 50 rows with an event each. The consumer is a process of its own.",
  bench,
)
  .addOption(countOption("events", "number of events", 200_000))
  .parseAsync();
