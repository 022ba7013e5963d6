import { lockAdvisory } from "@gatehouse/database";
import { isAppError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import type { AuthHandle, AuthTransact } from "../../db/database.ts";
import { adminExists } from "../../repositories/accounts/account.repository.ts";
import { insertAdmin } from "./admin.service.ts";
import type { PasswordHasher } from "../passwords/password-hasher.ts";

const FIRST_ADMIN_LOCK = "auth.first-admin";

export interface FirstAdminDeps {
  readonly db: AuthHandle;
  readonly transact: AuthTransact;
  readonly hasher: PasswordHasher;
  readonly logger: Logger;
}

/**
 * Creates the first admin when no admin exists. Safe when several replicas run it at the same time.
 * An existing account with this email is never promoted, because its owner may not be the operator.
 */
export async function ensureFirstAdmin(
  { db, transact, hasher, logger }: FirstAdminDeps,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<void> {
  if (await adminExists(db)) return;
  const passwordHash = await hasher.hash(password);
  try {
    const account = await transact(async (trx, emit) => {
      await lockAdvisory(trx, FIRST_ADMIN_LOCK);
      return (await adminExists(trx)) ? undefined : insertAdmin(trx, emit, { email, passwordHash });
    });
    if (account) logger.info({ user_id: account.id }, "created the first admin");
  } catch (error) {
    if (!isAppError(error, "EmailAlreadyExists")) throw error;
    logger.error(
      "FIRST_ADMIN_EMAIL belongs to an account that is no admin. Existing accounts are not promoted. Choose another email.",
    );
  }
}
