import type { GatehouseEvent } from "@gatehouse/contracts";
import type { UserLedger } from "../services/user-record.service.ts";
import { learn } from "../services/user-rules.ts";
import { versionOf } from "./facts.ts";

/** Finishes a deletion whose request died between auth's commit and its own, and carries out auth's erasures. */
export function handleAccountDeleted(ledger: UserLedger) {
  return async (event: GatehouseEvent<"auth.account.deleted">): Promise<void> => {
    const { user_id: id, soft } = event.data;
    const version = versionOf(event);
    const at = new Date(event.time);
    await ledger.change(id, event.actor, (known) =>
      learn(known, soft ? { kind: "deletion", id, version, deletedAt: at } : { kind: "erasure", id, version, at }),
    );
  };
}
