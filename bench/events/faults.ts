import type { RestartableServer } from "@gatehouse/local-stack";
import { newId } from "@gatehouse/contracts";
import type { Bus } from "@gatehouse/messaging";
import { headers } from "@nats-io/nats-core";
import pg from "pg";
import { setTimeout as pause } from "node:timers/promises";
import type { ConsumerProcess } from "./consumer-process.ts";

export interface FaultTargets {
  readonly nats: RestartableServer;
  readonly bus: Bus;
  readonly consumer: ConsumerProcess;
  /** PostgreSQL's superuser on a database of its own, so that what cuts connections is not cut itself. */
  readonly superuserUrl: string;
  /** The owner of the bench's tables. */
  readonly databaseUrl: string;
}

const NAMES = ["NATS killed and started", "database connections cut", "consumer killed", "events repeated"] as const;
type FaultName = (typeof NAMES)[number];

const DUPLICATES = 200;

/** Something goes wrong every two seconds or so, until `signal`. @returns how often each did */
export async function breakThings(
  targets: FaultTargets,
  random: () => number,
  signal: AbortSignal,
): Promise<Record<FaultName, number>> {
  const counts = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<FaultName, number>;
  while (!signal.aborted) {
    await pause(1_000 + random() * 2_000, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const name = NAMES[Math.floor(random() * NAMES.length)] as FaultName;
    await act(name, targets, random);
    counts[name] += 1;
  }
  return counts;
}

async function act(name: FaultName, targets: FaultTargets, random: () => number): Promise<void> {
  switch (name) {
    case "NATS killed and started":
      await targets.nats.kill();
      await pause(random() * 1_000);
      return targets.nats.start();
    case "database connections cut":
      return cutConnections(targets.superuserUrl, targets.databaseUrl);
    case "consumer killed":
      return targets.consumer.crash();
    case "events repeated":
      return repeatEvents(targets);
  }
}

async function cutConnections(superuserUrl: string, databaseUrl: string): Promise<void> {
  const database = new URL(databaseUrl).pathname.slice(1);
  await withClient(superuserUrl, (client) =>
    client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [database]),
  );
}

/** Publishes old events again, each under a new message id, which JetStream takes for a new message. */
async function repeatEvents({ bus, databaseUrl }: FaultTargets): Promise<void> {
  const connection = bus.connection();
  if (connection === undefined) return;
  await withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ subject: string; payload: string }>(
      `select subject, payload::text from outbox tablesample system (5) where published_at is not null limit ${DUPLICATES}`,
    );
    for (const { subject, payload } of rows) {
      const extra = headers();
      extra.set("Nats-Msg-Id", newId());
      connection.publish(subject, payload, { headers: extra });
    }
    await connection.flush();
  });
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
