import { lockAdvisory } from "@gatehouse/database";
import { AppError } from "@gatehouse/errors";
import type { AuthTransaction } from "../../db/database.ts";
import { type Account, otherActiveAdminExists } from "../../repositories/accounts/account.repository.ts";

const LAST_ADMIN_LOCK = "auth.last-admin";

/**
 * Locks out other commands that may remove an active admin; take it first. Of two admins who remove each other
 * at the same time the second waits and then counts the remaining admins.
 */
export async function lockAdmins(trx: AuthTransaction): Promise<void> {
  await lockAdvisory(trx, LAST_ADMIN_LOCK);
}

/** Fails when `leaving` is the last active admin. The transaction holds `lockAdmins`. @throws AppError LastAdmin */
export async function keepOneAdmin(trx: AuthTransaction, leaving: Account): Promise<void> {
  const countsAsAdmin = leaving.role === "admin" && leaving.isActive && leaving.deletedAt === null;
  if (countsAsAdmin && !(await otherActiveAdminExists(trx, leaving.id))) throw new AppError("LastAdmin");
}
