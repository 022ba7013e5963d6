import { metrics } from "@opentelemetry/api";
import { type Kysely, sql } from "kysely";
import type { MessagingTables } from "../tables/messaging.table.ts";

export interface RelayMetrics {
  /** A batch was settled: so many rows were acknowledged, so many were not. */
  settled(published: number, failed: number): void;
  close(): void;
}

/** What waits in the outbox is asked of the database when metrics are collected, and by nobody otherwise. */
export function createRelayMetrics(db: Kysely<MessagingTables>, stream: string): RelayMetrics {
  const meter = metrics.getMeter("gatehouse");
  const attributes = { stream };
  const published = meter.createCounter("gatehouse.outbox.published", {
    unit: "{event}",
    description: "Events that JetStream acknowledged.",
  });
  const failed = meter.createCounter("gatehouse.outbox.failures", {
    unit: "{event}",
    description: "Publishes that were not acknowledged; their events are tried again.",
  });
  const depth = meter.createObservableGauge("gatehouse.outbox.depth", {
    unit: "{event}",
    description: "Events that wait to be published, by this service's database.",
  });
  const age = meter.createObservableGauge("gatehouse.outbox.oldest_age", {
    unit: "s",
    description: "How long the oldest of them has waited; 0 when none waits.",
  });
  const gauges = [depth, age];

  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = async (result) => {
    const waiting = await readWaiting(db);
    result.observe(depth, waiting.depth, attributes);
    result.observe(age, waiting.age, attributes);
  };
  meter.addBatchObservableCallback(observe, gauges);

  return {
    settled(acknowledged, refused) {
      published.add(acknowledged, attributes);
      failed.add(refused, attributes);
    },
    close: () => meter.removeBatchObservableCallback(observe, gauges),
  };
}

async function readWaiting(db: Kysely<MessagingTables>): Promise<{ depth: number; age: number }> {
  const { rows } = await sql<{ depth: number; age: number }>`
    select count(*)::int as depth, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as age
    from outbox where published_at is null`.execute(db);
  return rows[0] ?? { depth: 0, age: 0 };
}
