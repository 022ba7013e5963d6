// The consumer of bench:events, a process of its own. It keeps `copies` equal to `sources` by events alone.
import { STREAMS } from "@gatehouse/contracts";
import { connectBus, startConsumer } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { sql } from "kysely";
import { type BenchTables, openDatabase } from "./tables.ts";

type Row = BenchTables["copies"];

const { DATABASE_URL: databaseUrl = "", NATS_URL: natsUrl = "" } = process.env;
const logger = createLogger({ service: "projection", level: "silent" });
const { db, close } = openDatabase(databaseUrl, "bench-projection");
const bus = connectBus({ url: natsUrl, name: "bench-projection", logger });

let waiting: { row: Row; settled: PromiseWithResolvers<void> }[] = [];
let isBusy = false;

/** Applies rows that handlers pass at the same time in one statement: the busier the consumer, the larger the batch. */
async function apply(row: Row): Promise<void> {
  const settled = Promise.withResolvers<void>();
  waiting.push({ row, settled });
  if (!isBusy) void applyWaiting();
  await settled.promise;
}

async function applyWaiting(): Promise<void> {
  isBusy = true;
  await new Promise(setImmediate);
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    const newest = new Map<string, Row>();
    for (const { row } of batch) if ((newest.get(row.id)?.version ?? 0) < row.version) newest.set(row.id, row);
    const upsert = sql`
      insert into copies select * from jsonb_populate_recordset(null::copies, ${JSON.stringify([...newest.values()])}::jsonb)
      on conflict (id) do update set version = excluded.version, full_name = excluded.full_name
      where copies.version < excluded.version`.execute(db);
    await upsert.then(
      () => batch.forEach(({ settled }) => settled.resolve()),
      (error: unknown) => batch.forEach(({ settled }) => settled.reject(error)),
    );
  }
  isBusy = false;
}

const consumer = startConsumer({
  ...{
    bus,
    stream: STREAMS.user,
    durable: "bench-projection",
    filter: "user.profile.updated",
    logger,
    concurrency: 200,
  },
  handlers: {
    "user.profile.updated": ({ subject: id, version = 0, data: { full_name } }) =>
      apply({ id, version, full_name: full_name ?? "" }),
  },
});

process.once("SIGTERM", async () => {
  await consumer.close();
  await bus.close();
  await close();
});
