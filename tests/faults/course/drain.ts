import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import pg from "pg";
import { setTimeout as pause } from "node:timers/promises";
import { DURABLES } from "../consumers/consumers.ts";
import type { System } from "../system/system.ts";

const WITHIN_MS = 60_000;
const ASK_EVERY_MS = 50;

/** Waits until both outboxes and all consumers are through. @returns milliseconds, and what was not when time was up */
export async function drain({ databaseUrls, servers }: System): Promise<{ ms: number; stuck: string[] }> {
  const client = new pg.Client({ connectionString: databaseUrls.owner });
  await client.connect();
  const connection = await connect({ servers: servers.nats.url, name: "faults-drain" });
  const manager = await jetstreamManager(connection);
  const begun = performance.now();

  async function left(): Promise<string[]> {
    const outboxes = ["auth", "users"].map(async (schema) => {
      const { rows } = await client.query(`select count(*)::int as n from ${schema}.outbox where published_at is null`);
      const { n } = rows[0] as { n: number };
      return n === 0 ? [] : [`${n} rows of ${schema}.outbox are unpublished`];
    });
    const consumers = DURABLES.map(async ({ durable, stream }) => {
      const { num_pending: waiting, num_ack_pending: inHand } = await manager.consumers.info(stream, durable);
      return waiting + inHand === 0 ? [] : [`${durable} has ${waiting} messages before it and ${inHand} in hand`];
    });
    return (await Promise.all([...outboxes, ...consumers])).flat();
  }

  try {
    for (;;) {
      const stuck = await left();
      const ms = Math.round(performance.now() - begun);
      if (stuck.length === 0 || ms > WITHIN_MS) return { ms, stuck };
      await pause(ASK_EVERY_MS);
    }
  } finally {
    await connection.close();
    await client.end();
  }
}
