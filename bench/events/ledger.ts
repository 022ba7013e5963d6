import { STREAMS } from "@gatehouse/contracts";
import { type Bus, readStream } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import { jetstreamManager } from "@nats-io/jetstream";
import { type Kysely, sql } from "kysely";
import type { BenchTables } from "./tables.ts";

/** What happened to the events. */
export interface EventLedger {
  readonly written: number;
  readonly published: number;
  /** Written and not in the stream. */
  readonly lost: number;
  /** In the stream and never written. */
  readonly invented: number;
  /** Copies after the first: repeated by a fault, or published again after a lost acknowledgment. */
  readonly repeated: number;
  readonly deadLetters: number;
  /** Rows of the projection that differ from their source. */
  readonly differing: number;
}

export async function compareEvents(db: Kysely<BenchTables>, bus: Bus, logger: Logger): Promise<EventLedger> {
  const written = new Set((await db.selectFrom("outbox").select("id").execute()).map(({ id }) => id));
  const copies = await countCopies(bus, logger);
  const invented = [...copies.keys()].filter((id) => !written.has(id)).length;
  const { rows } = await sql<{ differing: number }>`
    select count(*)::integer as differing from sources full join copies using (id)
    where (sources.version, sources.full_name) is distinct from (copies.version, copies.full_name)`.execute(db);
  const connection = bus.connection();
  if (connection === undefined) throw new Error("NATS is not connected");
  const { state } = await (await jetstreamManager(connection)).streams.info(STREAMS.deadLetters.name);
  return {
    written: written.size,
    published: copies.size - invented,
    lost: [...written].filter((id) => !copies.has(id)).length,
    invented,
    repeated: [...copies.values()].reduce((sum, count) => sum + count, 0) - copies.size,
    deadLetters: state.messages,
    differing: rows[0]?.differing ?? Number.NaN,
  };
}

/** Reads the whole stream. Returns how often it has each event id. */
async function countCopies(bus: Bus, logger: Logger): Promise<Map<string, number>> {
  const copies = new Map<string, number>();
  const done = Promise.withResolvers<void>();
  const reader = readStream({
    ...{ bus, stream: STREAMS.user, logger, since: () => new Date(0) },
    // An interrupted read starts again.
    onStart: () => copies.clear(),
    onMessage({ data, pending }) {
      const { id } = JSON.parse(Buffer.from(data).toString()) as { id: string };
      copies.set(id, (copies.get(id) ?? 0) + 1);
      if (pending === 0) done.resolve();
    },
  });
  await done.promise;
  await reader.close();
  return copies;
}
