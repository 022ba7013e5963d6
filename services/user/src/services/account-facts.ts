import type { Account, DeletedAccount } from "@gatehouse/contracts";
import type { AccountFact, DeletionFact, ErasureFact } from "./user-rules.ts";

/** What an answer of auth tells of an account. */
export function factOfAccount(account: Account): AccountFact {
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

/** What an answer of auth tells of a deletion; `now` is when an erasure, which auth leaves no time of, became known. */
export function factOfDeletion({ id, version, deleted_at }: DeletedAccount, now: Date): DeletionFact | ErasureFact {
  if (deleted_at === null) return { kind: "erasure", id, version, at: now };
  return { kind: "deletion", id, version, deletedAt: new Date(deleted_at) };
}
