import { inBatches } from "@gatehouse/database";
import { type Kysely, sql } from "kysely";
import type { MessagingTables } from "../tables/messaging.table.ts";

const BATCH = 5_000;

/** Deletes rows published more than `retentionSeconds` ago, in batches that several relays may share. Returns how many it deleted. */
export async function trimOutbox(db: Kysely<MessagingTables>, retentionSeconds: number): Promise<number> {
  return await inBatches(BATCH, async (limit) => {
    const result = await sql`
      delete from outbox where id = any(array(
        select id from outbox
        where published_at < now() - make_interval(secs => ${retentionSeconds})
        order by published_at
        limit ${limit}
        for update skip locked))`.execute(db);
    return Number(result.numAffectedRows ?? 0n);
  });
}
