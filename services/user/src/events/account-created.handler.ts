import { type GatehouseEvent, profileOf, timeOfId } from "@gatehouse/contracts";
import type { UserRecordService } from "../services/user-record.service.ts";
import { applyFact } from "../services/user-rules.ts";
import { accountFactOfEvent } from "./account-event-facts.ts";

/** Completes a registration whose request failed between auth's commit and this service's own. */
export function handleAccountCreated(records: UserRecordService) {
  return async (event: GatehouseEvent<"auth.account.created">): Promise<void> => {
    // The time in auth's response: a new account was last updated when it was created.
    const at = timeOfId(event.data.user_id);
    const fact = { ...accountFactOfEvent(event), at, profile: profileOf(event.data) };
    await records.change(event.data.user_id, event.actor, (record) => applyFact(record, fact));
  };
}
