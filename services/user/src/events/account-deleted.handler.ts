import type { GatehouseEvent } from "@gatehouse/contracts";
import type { UserRecordService } from "../services/user-record.service.ts";
import { applyFact } from "../services/user-rules.ts";
import { versionOf } from "./account-event-facts.ts";

/** Completes a deletion whose request failed between auth's commit and this service's own, and applies auth's erasures. */
export function handleAccountDeleted(records: UserRecordService) {
  return async (event: GatehouseEvent<"auth.account.deleted">): Promise<void> => {
    const { user_id: id, soft } = event.data;
    const version = versionOf(event);
    const at = new Date(event.time);
    await records.change(id, event.actor, (record) =>
      applyFact(record, soft ? { kind: "deletion", id, version, deletedAt: at } : { kind: "erasure", id, version, at }),
    );
  };
}
