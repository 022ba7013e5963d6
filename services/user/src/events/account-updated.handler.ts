import type { GatehouseEvent } from "@gatehouse/contracts";
import type { UserLedger } from "../services/user-record.service.ts";
import { learn } from "../services/user-rules.ts";
import { factOfAccountEvent } from "./facts.ts";

/** Follows the account. A restoration carries the same, and that the account is there again follows from its being changed. */
export function handleAccountUpdated(ledger: UserLedger) {
  return async (event: GatehouseEvent<"auth.account.updated" | "auth.account.restored">): Promise<void> => {
    const fact = factOfAccountEvent(event);
    await ledger.change(event.data.user_id, event.actor, (known) => learn(known, fact));
  };
}
