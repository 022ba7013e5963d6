import { connectDatabase } from "@gatehouse/test-kit/system";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { setTimeout as pause } from "node:timers/promises";
import { DURABLES } from "./consumers.ts";
import type { FaultySystem } from "./system.ts";

const RECOVERED_WITHIN_MS = 30_000;
const DRAINED_WITHIN_MS = 60_000;
const POLL_MS = 50;

/** How long it took, and what was not done when the time was over. */
export interface Recovery {
  readonly ms: number;
  readonly stuck: readonly string[];
}

/** Waits until every service is ready and healthy. */
export async function waitUntilRecovered({ services }: FaultySystem): Promise<Recovery> {
  const pages = Object.values(services).flatMap(({ name, url }) =>
    name.startsWith("gateway") ? [`${url}/health/ready`, `${url}/health/detailed`] : [`${url}/health/ready`],
  );
  return poll(RECOVERED_WITHIN_MS, async () => (await Promise.all(pages.map(checkHealth))).flat());
}

async function checkHealth(page: string): Promise<string[]> {
  try {
    const response = await fetch(page, { signal: AbortSignal.timeout(5_000) });
    const body = await response.text();
    return response.ok && !body.includes("degraded") ? [] : [`${page} returns ${response.status} ${body}`];
  } catch (error) {
    return [`${page} does not reply: ${String(error)}`];
  }
}

/** Waits until both outboxes and all consumers are empty. */
export async function waitUntilDrained({ databaseUrls, servers }: FaultySystem): Promise<Recovery> {
  await using client = await connectDatabase(databaseUrls.owner);
  const connection = await connect({ servers: servers.nats.url, name: "faults-drain" });
  const { consumers } = await jetstreamManager(connection);
  const left = async () => {
    const stuck: string[] = [];
    for (const schema of ["auth", "users"]) {
      const statement = `select count(*)::int as n from ${schema}.outbox where published_at is null`;
      const { n } = (await client.query<{ n: number }>(statement)).rows[0] ?? { n: 0 };
      if (n > 0) stuck.push(`${n} rows of ${schema}.outbox are not published`);
    }
    for (const { durable, stream } of DURABLES) {
      const { num_pending: pending, num_ack_pending: unacknowledged } = await consumers.info(stream, durable);
      if (pending + unacknowledged > 0)
        stuck.push(`${durable} has ${pending} pending and ${unacknowledged} unacknowledged messages`);
    }
    return stuck;
  };
  return await poll(DRAINED_WITHIN_MS, left).finally(() => connection.close());
}

async function poll(withinMs: number, left: () => Promise<string[]>): Promise<Recovery> {
  for (const begun = performance.now(); ; await pause(POLL_MS)) {
    const stuck = await left();
    const ms = Math.round(performance.now() - begun);
    if (stuck.length === 0 || ms > withinMs) return { ms, stuck };
  }
}
