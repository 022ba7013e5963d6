import { EventFormatError, type GatehouseEvent } from "@gatehouse/contracts";
import type { AccountFact } from "../services/user-rules.ts";

type AccountEvent = GatehouseEvent<"auth.account.created" | "auth.account.updated" | "auth.account.restored">;

/** What an event that carries the account tells of it. Auth changes no deleted account, so it was not deleted then. */
export function factOfAccountEvent(event: AccountEvent): AccountFact {
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

/** @throws EventFormatError: without its version an event of an account cannot be put in order */
export function versionOf(event: GatehouseEvent): number {
  if (event.version === undefined) throw new EventFormatError(`${event.type} has no version`);
  return event.version;
}
