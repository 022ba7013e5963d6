import { connectDatabase, openStreams } from "@gatehouse/test-kit/system";
import { setTimeout as pause } from "node:timers/promises";
import { DURABLES } from "./consumers.ts";
import type { FaultySystem } from "./system.ts";

const RECOVERED_WITHIN_MS = 30_000;
const DRAINED_WITHIN_MS = 60_000;

/** How long it took, and what was not done when the time was over. */
interface Recovery {
  readonly ms: number;
  readonly stuck: readonly string[];
}

/** Waits until every service is ready and healthy. */
export async function waitUntilRecovered({ services }: FaultySystem): Promise<Recovery> {
  const pages = Object.values(services).flatMap(({ name, url }) => [
    `${url}/health/ready`,
    ...(name.startsWith("gateway") ? [`${url}/health/detailed`] : []),
  ]);
  const checkHealth = async (page: string) => {
    try {
      const response = await fetch(page, { signal: AbortSignal.timeout(5_000) });
      const body = await response.text();
      return response.ok && !body.includes("degraded") ? [] : [`${page} returns ${response.status} ${body}`];
    } catch (error) {
      return [`${page} does not reply: ${String(error)}`];
    }
  };
  return poll(RECOVERED_WITHIN_MS, async () => (await Promise.all(pages.map(checkHealth))).flat());
}

/** Waits until both outboxes and all consumers are empty. */
export async function waitUntilDrained({ databaseUrls, servers }: FaultySystem): Promise<Recovery> {
  await using client = await connectDatabase(databaseUrls.owner);
  await using nats = await openStreams(servers.nats.url);
  return await poll(DRAINED_WITHIN_MS, async () => {
    const stuck: string[] = [];
    for (const schema of ["auth", "users"]) {
      const { rowCount } = await client.query(`select from ${schema}.outbox where published_at is null`);
      if (rowCount) stuck.push(`${rowCount} rows of ${schema}.outbox are not published`);
    }
    for (const { durable, stream } of DURABLES) {
      const { num_pending: pending, num_ack_pending: sent } = await nats.consumers.info(stream, durable);
      if (pending + sent > 0) stuck.push(`${durable} has ${pending} pending and ${sent} unacknowledged messages`);
    }
    return stuck;
  });
}

async function poll(withinMs: number, left: () => Promise<string[]>): Promise<Recovery> {
  for (const begun = performance.now(); ; await pause(50)) {
    const stuck = await left();
    const ms = Math.round(performance.now() - begun);
    if (stuck.length === 0 || ms > withinMs) return { ms, stuck };
  }
}
