import { type GatehouseEvent, newId, profileOf, timeOfId } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { AuthTransact, AuthTransaction } from "../../db/database.ts";
import { type Account, insertAccount } from "../../repositories/accounts/account.repository.ts";
import { accountCreated } from "./account-events.ts";
import type { PasswordHasher } from "../passwords/password-hasher.ts";

export interface AdminServiceDeps {
  readonly transact: AuthTransact;
  readonly hasher: PasswordHasher;
}

/** Creates admins for operators, without an acting user. */
export function createAdminService({ transact, hasher }: AdminServiceDeps) {
  return {
    /**
     * Creates a verified, active admin. The email is already normalized. An existing account with this email is not promoted,
     * because another person may have registered it.
     * @throws AppError EmailAlreadyExists
     */
    async create({ email, password }: { readonly email: string; readonly password: string }): Promise<Account> {
      const passwordHash = await hasher.hash(password);
      return transact((trx, emit) => insertAdmin(trx, emit, { email, passwordHash }));
    },
  };
}

/** Inserts a verified, active admin and emits its event, in the caller's transaction. */
export async function insertAdmin(
  trx: AuthTransaction,
  emit: (event: GatehouseEvent) => void,
  { email, passwordHash }: { readonly email: string; readonly passwordHash: string },
): Promise<Account> {
  const id = newId();
  const account = await insertAccount(trx, {
    id,
    email,
    passwordHash,
    profile: profileOf({}),
    role: "admin",
    isActive: true,
    isVerified: true,
    createdAt: timeOfId(id),
  });
  // The id is new, so no row can conflict with it.
  if (!account) throw new AppError("ConflictError");
  emit(accountCreated(account));
  return account;
}
