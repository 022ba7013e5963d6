import type { UpdateAccountCommand } from "@gatehouse/contracts";
import type { Account } from "../../repositories/accounts/account.repository.ts";
import type { EndReason } from "../../repositories/sessions/session.repository.ts";

export interface AccountChange {
  readonly values: Partial<Account>;
  /** The changed fields of `auth.account.updated`; empty when only the password was set. */
  readonly changed: readonly string[];
  readonly setsPassword: boolean;
  readonly removesAdmin: boolean;
  /** Set when token_version is raised: all sessions of the user end for this reason. */
  readonly endsSessions: EndReason | undefined;
  /** The reason of `auth.sessions.revoked`; a new password has its own event. */
  readonly revocationReason: "deactivated" | "role_changed" | undefined;
}

/**
 * Returns the change that a command makes to an account, undefined when it changes nothing. Only values that differ count.
 * A new email clears is_verified unless the command sets it. A password, a deactivation and a new role raise token_version.
 */
export function planAccountChange(
  account: Account,
  command: Omit<UpdateAccountCommand, "on_behalf_of" | "password">,
  passwordHash: string | undefined,
): AccountChange | undefined {
  const changesEmail = command.email !== undefined && command.email !== account.email;
  const wanted = {
    email: command.email ?? account.email,
    role: command.role ?? account.role,
    is_active: command.is_active ?? account.isActive,
    is_verified: command.is_verified ?? (changesEmail ? false : account.isVerified),
  };
  const changed = [
    ...(changesEmail ? ["email"] : []),
    ...(wanted.role === account.role ? [] : ["role"]),
    ...(wanted.is_active === account.isActive ? [] : ["is_active"]),
    ...(wanted.is_verified === account.isVerified ? [] : ["is_verified"]),
  ];
  const setsPassword = passwordHash !== undefined;
  if (changed.length === 0 && !setsPassword) return undefined;

  const deactivates = account.isActive && !wanted.is_active;
  const changesRole = changed.includes("role");
  const revocationReason = deactivates ? "deactivated" : changesRole ? "role_changed" : undefined;
  const endsSessions = revocationReason ?? (setsPassword ? "password_changed" : undefined);
  return {
    values: {
      email: wanted.email,
      isActive: wanted.is_active,
      isVerified: wanted.is_verified,
      // A role that this build does not know stays as stored.
      ...(changesRole && { role: wanted.role }),
      ...(setsPassword && { passwordHash }),
      ...(endsSessions && { tokenVersion: account.tokenVersion + 1 }),
      version: account.version + 1,
    },
    changed,
    setsPassword,
    removesAdmin: account.role === "admin" && (deactivates || changesRole),
    endsSessions,
    revocationReason,
  };
}
