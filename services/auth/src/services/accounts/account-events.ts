import { createEvent } from "@gatehouse/messaging";
import type { Account } from "../../repositories/accounts/account.repository.ts";

/** Events of accounts. All events of one change carry the account's new version. */

const about = (account: Account, actor: string | undefined) => ({
  source: "auth" as const,
  subject: account.id,
  version: account.version,
  ...(actor !== undefined && { actor }),
});

const facts = (account: Account) => ({
  user_id: account.id,
  email: account.email,
  role: account.role,
  is_active: account.isActive,
  is_verified: account.isVerified,
});

export const accountCreated = (account: Account, actor?: string) =>
  createEvent({
    ...about(account, actor),
    type: "auth.account.created",
    data: { ...facts(account), ...account.profile },
  });

export const accountUpdated = (account: Account, changed: readonly string[], actor: string) =>
  createEvent({
    ...about(account, actor),
    type: "auth.account.updated",
    // The same time as in the account, so that the projection shows it too.
    time: account.updatedAt,
    data: { ...facts(account), changed: [...changed] },
  });

export const accountRestored = (account: Account, actor: string) =>
  createEvent({
    ...about(account, actor),
    type: "auth.account.restored",
    time: account.updatedAt,
    data: { ...facts(account), changed: ["deleted_at"] },
  });

/** `account` already has the raised version and token_version. */
export const accountDeleted = (account: Account, soft: boolean, actor?: string) =>
  createEvent({
    ...about(account, actor),
    type: "auth.account.deleted",
    ...(account.deletedAt && { time: account.deletedAt }),
    data: { user_id: account.id, soft, token_version: account.tokenVersion },
  });

export const passwordChanged = (account: Account, by: "self" | "admin", actor: string) =>
  createEvent({
    ...about(account, actor),
    type: "auth.password.changed",
    data: { user_id: account.id, token_version: account.tokenVersion, by },
  });

export const sessionsRevoked = (
  account: Account,
  reason: "logout_all" | "deactivated" | "role_changed",
  actor: string,
) =>
  createEvent({
    ...about(account, actor),
    type: "auth.sessions.revoked",
    data: { user_id: account.id, token_version: account.tokenVersion, reason },
  });
