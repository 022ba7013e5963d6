import { metrics } from "@opentelemetry/api";
import { type Kysely, sql } from "kysely";
import type { MessagingTables } from "../tables/messaging.table.ts";

export interface RelayMetrics {
  /** Counts a settled batch: the rows that were acknowledged, and those that were not. */
  settled(published: number, failed: number): void;
  close(): void;
}

export interface RelayMetricsDeps {
  readonly db: Kysely<MessagingTables>;
  readonly stream: string;
}

/** Registers the relay's metrics. The outbox is queried only when metrics are collected. */
export function createRelayMetrics({ db, stream }: RelayMetricsDeps): RelayMetrics {
  const meter = metrics.getMeter("gatehouse");
  const attributes = { stream };
  const published = meter.createCounter("gatehouse.outbox.published", {
    unit: "{event}",
    description: "Events that JetStream acknowledged.",
  });
  const failed = meter.createCounter("gatehouse.outbox.failures", {
    unit: "{event}",
    description: "Publishes that were not acknowledged; their events are retried.",
  });
  const depth = meter.createObservableGauge("gatehouse.outbox.depth", {
    unit: "{event}",
    description: "Events in the outbox that are not yet published.",
  });
  const age = meter.createObservableGauge("gatehouse.outbox.oldest_age", {
    unit: "s",
    description: "Age of the oldest event that is not yet published; 0 when there is none.",
  });
  const gauges = [depth, age];

  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = async (result) => {
    const waiting = await readWaiting(db);
    result.observe(depth, waiting.depth, attributes);
    result.observe(age, waiting.age, attributes);
  };
  meter.addBatchObservableCallback(observe, gauges);

  return {
    settled(acknowledged, unacknowledged) {
      published.add(acknowledged, attributes);
      failed.add(unacknowledged, attributes);
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
