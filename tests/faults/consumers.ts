import { EVENTS, type EventSubject, type GatehouseEvent, STREAMS } from "@gatehouse/contracts";
import { createDatabase, type Database } from "@gatehouse/database";
import { connectBus, type EventHandlers, startConsumer } from "@gatehouse/messaging";
import { createLogger } from "@gatehouse/observability";
import { sql } from "kysely";
import { FAILS } from "./load/changes.ts";
import type { FaultySystem } from "./system.ts";

/** The durable names of the harness's consumers. */
export const COLLECTORS = { auth: "faults-auth", user: "faults-user" } as const;
export const THROWER = "faults-thrower";

const [auth, user] = [STREAMS.auth.name, STREAMS.user.name];

/** Every durable of the run, the services' included: its stream, and which subjects it gets. */
export const DURABLES: readonly { durable: string; stream: string; covers: (subject: string) => boolean }[] = [
  { durable: "user", stream: auth, covers: (subject) => subject.startsWith("auth.account.") },
  { durable: "auth", stream: user, covers: (subject) => subject === "user.profile.updated" },
  { durable: COLLECTORS.auth, stream: auth, covers: (subject) => subject !== "auth.watermark" },
  { durable: COLLECTORS.user, stream: user, covers: () => true },
  { durable: THROWER, stream: user, covers: (subject) => subject === "user.profile.updated" },
];

/** Whether the throwing consumer fails on every attempt, so that the event becomes a dead letter. */
export function failsAlways(event: GatehouseEvent): boolean {
  return nameIn(event).endsWith(FAILS.always);
}

function nameIn({ data }: GatehouseEvent): string {
  return "full_name" in data && typeof data.full_name === "string" ? data.full_name : "";
}

/** `handled` has the unique key by which a consumer recognizes an event; `applied` has none, so that a second application shows. */
interface LedgerTables {
  handled: { consumer: string; event_id: string };
  applied: { consumer: string; event_id: string };
}

export interface Consumers extends AsyncDisposable {
  readonly database: Database<LedgerTables>;
}

/** Starts two consumers that apply every event once, and one whose handler throws. No fault touches their connections. */
export async function startConsumers({ databaseUrls, servers }: FaultySystem): Promise<Consumers> {
  const database = createDatabase<LedgerTables>({ url: databaseUrls.ledger, applicationName: "faults-ledger" });
  const { db } = database;
  await sql`create table handled (consumer text, event_id text, primary key (consumer, event_id))`.execute(db);
  await sql`create table applied (consumer text, event_id text)`.execute(db);
  const logger = createLogger({ service: "faults", level: "silent" });
  const bus = connectBus({ url: servers.nats.url, name: "faults-consumers", logger });

  const applyOnce = (consumer: string) => async (event: GatehouseEvent) => {
    await sql`
      with first as (insert into handled values (${consumer}, ${event.id}) on conflict do nothing returning *)
      insert into applied select * from first`.execute(db);
  };

  const collect = (part: "auth" | "user") => {
    const handler = applyOnce(COLLECTORS[part]);
    const subjects = (Object.keys(EVENTS) as EventSubject[]).filter((subject) => subject.startsWith(`${part}.`));
    const events = subjects.filter((subject) => subject !== "auth.watermark");
    const handlers = Object.fromEntries(events.map((subject) => [subject, handler])) as EventHandlers;
    const [stream, durable] = [STREAMS[part], COLLECTORS[part]];
    return startConsumer({ bus, stream, durable, filter: `${part}.>`, handlers, logger });
  };

  const apply = applyOnce(THROWER);
  const thrower = startConsumer({
    ...{ bus, stream: STREAMS.user, durable: THROWER, filter: "user.profile.updated", logger },
    retryDelay: () => 100,
    handlers: {
      "user.profile.updated": async (event, { attempt }) => {
        if (failsAlways(event)) throw new Error("this handler always fails for this event");
        if (nameIn(event).endsWith(FAILS.twice) && attempt <= 2) throw new Error("this handler fails twice");
        await apply(event);
      },
    },
  });
  const consumers = [collect("auth"), collect("user"), thrower];
  return {
    database,
    async [Symbol.asyncDispose]() {
      await Promise.all(consumers.map((consumer) => consumer.close()));
      await bus.close();
      await database.close();
    },
  };
}
