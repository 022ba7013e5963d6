import type { EventSubject, GatehouseEvent } from "@gatehouse/contracts";
import type { Kysely, Transaction } from "kysely";
import type { DeliveryInfo, EventHandler } from "./consumer/event-handler.ts";
import { handleOnce } from "./inbox.ts";
import type { InboxTables } from "./tables/messaging.table.ts";

/**
 * A handler whose effect takes place once, however often an event comes: it runs in a transaction of its own that also marks the event as
 * handled by `consumer`, so both are committed or neither is.
 */
export function once<T extends InboxTables, S extends EventSubject>(
  db: Kysely<T>,
  consumer: string,
  effect: (trx: Transaction<T>, event: GatehouseEvent<S>, info: DeliveryInfo) => Promise<void>,
): EventHandler<S> {
  return (event, info) =>
    db.transaction().execute(async (trx) => {
      if (await handleOnce(trx, consumer, event.id)) await effect(trx, event, info);
    });
}
