import type { Account as AccountAnswer, User } from "@gatehouse/contracts";
import type { Account } from "../../repositories/accounts/account.repository.ts";

/** Returns the account as login shows it to its owner. */
export function toUser(account: Account): User {
  return {
    id: account.id,
    email: account.email,
    ...account.profile,
    is_active: account.isActive,
    is_verified: account.isVerified,
    role: account.role,
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
  };
}

/** Returns the account as the user service receives it. */
export function toAccountAnswer(account: Account): AccountAnswer {
  return {
    id: account.id,
    email: account.email,
    role: account.role,
    is_active: account.isActive,
    is_verified: account.isVerified,
    token_version: account.tokenVersion,
    version: account.version,
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
    deleted_at: account.deletedAt?.toISOString() ?? null,
  };
}
