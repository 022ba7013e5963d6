import type { GatehouseEvent } from "@gatehouse/contracts";
import type { UserRecordService } from "../services/user-record.service.ts";
import { applyFact } from "../services/user-rules.ts";
import { accountFactOfEvent } from "./account-event-facts.ts";

/** Applies a change of the account. A restoration has the same data, and every change implies that the account exists. */
export function handleAccountUpdated(records: UserRecordService) {
  return async (event: GatehouseEvent<"auth.account.updated" | "auth.account.restored">): Promise<void> => {
    const fact = accountFactOfEvent(event);
    await records.change(event.data.user_id, event.actor, (record) => applyFact(record, fact));
  };
}
