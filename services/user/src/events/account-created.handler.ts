import { type GatehouseEvent, profileOf, timeOfId } from "@gatehouse/contracts";
import type { UserLedger } from "../services/user-record.service.ts";
import { learn } from "../services/user-rules.ts";
import { factOfAccountEvent } from "./facts.ts";

/** Makes the row of a registration whose request died between auth's commit and its own. */
export function handleAccountCreated(ledger: UserLedger) {
  return async (event: GatehouseEvent<"auth.account.created">): Promise<void> => {
    // As auth's answer has it: an account that was only created has not been updated since.
    const at = timeOfId(event.data.user_id);
    const fact = { ...factOfAccountEvent(event), at, profile: profileOf(event.data) };
    await ledger.change(event.data.user_id, event.actor, (known) => learn(known, fact));
  };
}
