import type { Account, DeletedAccount } from "@gatehouse/contracts";
import type { AccountFact, DeletionFact, ErasureFact } from "./user-rules.ts";

/** Returns the fact in auth's response about an account. */
export function accountFact(account: Account): AccountFact {
  return {
    kind: "account",
    id: account.id,
    version: account.version,
    at: new Date(account.updated_at),
    email: account.email,
    role: account.role,
    isActive: account.is_active,
    isVerified: account.is_verified,
    deletedAt: account.deleted_at === null ? null : new Date(account.deleted_at),
  };
}

/** Returns the fact in auth's response to a deletion. Auth returns no time for an erasure, so its time is `now`. */
export function deletionFact({ id, version, deleted_at }: DeletedAccount, now: Date): DeletionFact | ErasureFact {
  if (deleted_at === null) return { kind: "erasure", id, version, at: now };
  return { kind: "deletion", id, version, deletedAt: new Date(deleted_at) };
}
