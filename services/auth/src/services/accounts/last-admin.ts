import { lockAdvisory } from "@gatehouse/database";
import { AppError } from "@gatehouse/errors";
import type { AuthTransaction } from "../../db/database.ts";
import { type Account, otherActiveAdminExists } from "../../repositories/accounts/account.repository.ts";

const LAST_ADMIN_LOCK = "auth.last-admin";

/**
 * Taken first by every command that may take an active admin away: two admins who remove each other at once
 * are one after the other, and the second one counts what the first has left.
 */
export async function lockAdmins(trx: AuthTransaction): Promise<void> {
  await lockAdvisory(trx, LAST_ADMIN_LOCK);
}

/** The transaction holds `lockAdmins`. @throws AppError LastAdmin */
export async function keepOneAdmin(trx: AuthTransaction, leaving: Account): Promise<void> {
  const countsAsAdmin = leaving.role === "admin" && leaving.isActive && leaving.deletedAt === null;
  if (countsAsAdmin && !(await otherActiveAdminExists(trx, leaving.id))) throw new AppError("LastAdmin");
}
