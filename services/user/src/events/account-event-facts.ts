import { EventFormatError, type GatehouseEvent } from "@gatehouse/contracts";
import type { AccountFact } from "../services/user-rules.ts";

type AccountEvent = GatehouseEvent<"auth.account.created" | "auth.account.updated" | "auth.account.restored">;

/** Returns the fact in an event about an account. Auth never changes a deleted account, so `deletedAt` is null. */
export function accountFactOfEvent(event: AccountEvent): AccountFact {
  const { user_id, email, role, is_active, is_verified } = event.data;
  return {
    kind: "account",
    id: user_id,
    version: versionOf(event),
    at: new Date(event.time),
    email,
    role,
    isActive: is_active,
    isVerified: is_verified,
    deletedAt: null,
  };
}

/** @throws EventFormatError when the event has no version, because it cannot be ordered then */
export function versionOf(event: GatehouseEvent): number {
  if (event.version === undefined) throw new EventFormatError(`${event.type} has no version`);
  return event.version;
}
