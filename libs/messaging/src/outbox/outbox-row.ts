import { type GatehouseEvent, REVOKING_SUBJECTS } from "@gatehouse/contracts";
import type { OutboxInsert } from "../tables/messaging.table.ts";

/** Returns the outbox row of an event, for a service that writes it in a statement of its own; otherwise use createTransact. */
export function outboxRow(event: GatehouseEvent): OutboxInsert {
  return {
    id: event.id,
    subject: event.type,
    payload: JSON.stringify(event),
    headers: JSON.stringify(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
    revoking: REVOKING_SUBJECTS.has(event.type),
  };
}
