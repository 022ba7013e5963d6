import { EVENTS, type EventSubject, type GatehouseEvent, STREAMS } from "@gatehouse/contracts";
import { type Bus, type Consumer, type EventHandlers, startConsumer } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import { FAILS } from "../load/own-acts.ts";
import type { LedgerDatabase } from "./ledger-database.ts";

/** The durable names of the harness's consumers, and of the services'; all that make dead letters. */
export const COLLECTORS = { auth: "faults-auth", user: "faults-user" } as const;
export const THROWER = "faults-thrower";

/** Every durable: where it reads, and what. */
export const DURABLES = [
  {
    durable: "user",
    stream: STREAMS.auth.name,
    covers: (subject: string) => subject.startsWith("auth.account."),
  },
  {
    durable: "auth",
    stream: STREAMS.user.name,
    covers: (subject: string) => subject === "user.profile.updated",
  },
  { durable: COLLECTORS.auth, stream: STREAMS.auth.name, covers: (subject: string) => subject !== "auth.watermark" },
  { durable: COLLECTORS.user, stream: STREAMS.user.name, covers: () => true },
  { durable: THROWER, stream: STREAMS.user.name, covers: (subject: string) => subject === "user.profile.updated" },
] as const;

/** Whether the failing consumer is to give up on an event; everything else it ends up applying. */
export function failsAlways(event: GatehouseEvent): boolean {
  return nameIn(event).endsWith(FAILS.always);
}

function nameIn(event: GatehouseEvent): string {
  const { full_name: name } = event.data as { full_name?: unknown };
  return typeof name === "string" ? name : "";
}

/** The harness's consumers: two that apply every event of the system once, and one whose handler throws on some. */
export function startConsumers(options: { bus: Bus; database: LedgerDatabase; logger: Logger }): Consumer[] {
  const { bus, database, logger } = options;

  const applyOnce = (consumer: string) => async (event: GatehouseEvent) =>
    database.db.transaction().execute(async (trx) => {
      const application = { consumer, event_id: event.id };
      const insert = trx.insertInto("handled").values(application);
      const { numInsertedOrUpdatedRows: first } = await insert
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      if (first !== 0n) await trx.insertInto("applied").values(application).execute();
    });

  const collect = (part: "auth" | "user") => {
    const subjects = (Object.keys(EVENTS) as EventSubject[]).filter(
      (subject) => subject.startsWith(`${part}.`) && subject !== "auth.watermark",
    );
    const handler = applyOnce(COLLECTORS[part]);
    const handlers = Object.fromEntries(subjects.map((subject) => [subject, handler])) as EventHandlers;
    return startConsumer({
      bus,
      stream: STREAMS[part],
      durable: COLLECTORS[part],
      filter: `${part}.>`,
      handlers,
      logger,
    });
  };

  const apply = applyOnce(THROWER);
  const thrower = startConsumer({
    bus,
    stream: STREAMS.user,
    durable: THROWER,
    filter: "user.profile.updated",
    retryDelay: () => 100,
    handlers: {
      "user.profile.updated": async (event, { attempt }) => {
        if (failsAlways(event)) throw new Error("the harness's consumer fails on this one always");
        if (nameIn(event).endsWith(FAILS.twice) && attempt <= 2) throw new Error("and on this one twice");
        await apply(event);
      },
    },
    logger,
  });
  return [collect("auth"), collect("user"), thrower];
}
