import { STREAMS } from "@gatehouse/contracts";
import { type Bus, readStream } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import { jetstreamManager } from "@nats-io/jetstream";
import { type Kysely, sql } from "kysely";
import type { BenchTables } from "./tables.ts";

/** What became of every event. */
export interface EventLedger {
  readonly written: number;
  /** In the stream under their own ids. */
  readonly published: number;
  /** Written and not in the stream. */
  readonly lost: number;
  /** In the stream and never written. */
  readonly invented: number;
  /** Copies beyond the first: repeated by a fault, or published again because an acknowledgement was lost. */
  readonly repeated: number;
  readonly deadLetters: number;
  /** Rows of the projection that differ from their source. */
  readonly differing: number;
}

export async function drawUpLedger(db: Kysely<BenchTables>, bus: Bus, logger: Logger): Promise<EventLedger> {
  const written = new Set((await db.selectFrom("outbox").select("id").execute()).map(({ id }) => id));
  const copies = await countCopies(bus, logger);
  const lost = [...written].filter((id) => !copies.has(id)).length;
  const invented = [...copies.keys()].filter((id) => !written.has(id)).length;
  const messages = [...copies.values()].reduce((sum, count) => sum + count, 0);
  const { rows } = await sql<{ differing: number }>`
    select count(*)::integer as differing from sources full join copies using (id)
    where (sources.version, sources.full_name) is distinct from (copies.version, copies.full_name)`.execute(db);
  return {
    written: written.size,
    published: copies.size - invented,
    lost,
    invented,
    repeated: messages - copies.size,
    deadLetters: await countDeadLetters(bus),
    differing: rows[0]?.differing ?? Number.NaN,
  };
}

/** How often each event id is in the stream, which is read from its beginning. */
async function countCopies(bus: Bus, logger: Logger): Promise<Map<string, number>> {
  const copies = new Map<string, number>();
  const done = Promise.withResolvers<void>();
  const reader = readStream({
    bus,
    stream: STREAMS.user,
    since: () => new Date(0),
    // A pass that breaks off begins anew.
    onStart: () => copies.clear(),
    onMessage({ data, pending }) {
      const { id } = JSON.parse(Buffer.from(data).toString()) as { id: string };
      copies.set(id, (copies.get(id) ?? 0) + 1);
      if (pending === 0) done.resolve();
    },
    logger,
  });
  await done.promise;
  await reader.close();
  return copies;
}

async function countDeadLetters(bus: Bus): Promise<number> {
  const connection = bus.connection();
  if (connection === undefined) throw new Error("NATS is not connected");
  const manager = await jetstreamManager(connection);
  return (await manager.streams.info(STREAMS.deadLetters.name)).state.messages;
}
