import { STREAMS } from "@gatehouse/contracts";
import { openStreams, readStream } from "@gatehouse/test-kit/system";
import { type Kysely, sql } from "kysely";
import type { BenchTables } from "./tables.ts";

/** Compares what was written with the stream and the projection. */
export async function compareEvents(db: Kysely<BenchTables>, natsUrl: string) {
  const written = new Set((await db.selectFrom("outbox").select("id").execute()).map(({ id }) => id));
  await using nats = await openStreams(natsUrl);
  const copies = new Map<string, number>();
  for (const { event } of await readStream(nats.connection, STREAMS.user.name))
    copies.set(event.id, (copies.get(event.id) ?? 0) + 1);
  const invented = [...copies.keys()].filter((id) => !written.has(id)).length;
  const { rows } = await sql<{ differing: number }>`
    select count(*)::integer as differing from sources full join copies using (id)
    where (sources.version, sources.full_name) is distinct from (copies.version, copies.full_name)`.execute(db);
  const { state } = await nats.streams.info(STREAMS.deadLetters.name);
  return {
    written: written.size,
    published: copies.size - invented,
    /** Written and not in the stream. */
    lost: [...written].filter((id) => !copies.has(id)).length,
    invented,
    /** Copies after the first: repeated by a fault, or published again after a lost acknowledgment. */
    repeated: [...copies.values()].reduce((sum, count) => sum + count, 0) - copies.size,
    deadLetters: state.messages,
    /** Rows of the projection that differ from their source. */
    differing: rows[0]?.differing ?? Number.NaN,
  };
}
