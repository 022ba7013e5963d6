import { parseRole, type Profile, profileOf, type Role } from "@gatehouse/contracts";
import { createRepository, violatedConstraint } from "@gatehouse/database";
import { AppError } from "@gatehouse/errors";
import type { Selectable, Updateable } from "kysely";
import type { AuthHandle, AuthTables, AuthTransaction } from "../../db/database.ts";
import type { AccountTable } from "../../db/tables/account.table.ts";

/** An account with everything that a login depends on. `deletedAt` is set between soft deletion and erasure. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly passwordHash: string;
  /** A copy of the profile that the user service owns. */
  readonly profile: Profile;
  readonly role: Role;
  readonly isActive: boolean;
  readonly isVerified: boolean;
  readonly tokenVersion: number;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
}

/** A new account; its versions start at 1. */
export type NewAccount = Omit<Account, "tokenVersion" | "version" | "updatedAt" | "deletedAt">;

function toAccount(row: Selectable<AccountTable>): Account {
  return {
    id: row.id,
    email: row.email,
    passwordHash: row.password_hash,
    profile: profileOf(row),
    role: parseRole(row.role),
    isActive: row.is_active,
    isVerified: row.is_verified,
    tokenVersion: row.token_version,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  };
}

/** Returns the columns of the given properties. */
function toRow(account: Partial<Account>): Updateable<AccountTable> {
  return {
    email: account.email,
    password_hash: account.passwordHash,
    ...account.profile,
    role: account.role,
    is_active: account.isActive,
    is_verified: account.isVerified,
    token_version: account.tokenVersion,
    version: account.version,
    updated_at: account.updatedAt,
    deleted_at: account.deletedAt,
  };
}

const accounts = createRepository<AuthTables, "accounts", Account>({ table: "accounts", toDomain: toAccount });

export const findAccount = accounts.findById;
export const deleteAccounts = accounts.deleteMany;

export async function findAccountByEmail(db: AuthHandle, email: string): Promise<Account | undefined> {
  const row = await db
    .selectFrom("accounts")
    .selectAll()
    .where("email", "=", email)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return row && toAccount(row);
}

/** Locks the row for a change, or with `share` against changes; several transactions can hold a `share` lock. */
export async function lockAccount(
  trx: AuthTransaction,
  id: string,
  mode: "update" | "share",
): Promise<Account | undefined> {
  const query = trx.selectFrom("accounts").selectAll().where("id", "=", id);
  const row = await (mode === "update" ? query.forNoKeyUpdate() : query.forShare()).executeTakeFirst();
  return row && toAccount(row);
}

/**
 * Inserts the account. Returns undefined when its id already exists.
 * @throws AppError EmailAlreadyExists
 */
export async function insertAccount(trx: AuthTransaction, account: NewAccount): Promise<Account | undefined> {
  const query = trx.insertInto("accounts").values({
    id: account.id,
    email: account.email,
    password_hash: account.passwordHash,
    ...account.profile,
    role: account.role,
    is_active: account.isActive,
    is_verified: account.isVerified,
    created_at: account.createdAt,
    updated_at: account.createdAt,
  });
  const row = await query
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returningAll()
    .executeTakeFirst()
    .catch(translateEmailConflict);
  return row && toAccount(row);
}

/**
 * Changes a row that the transaction has locked.
 * @throws AppError EmailAlreadyExists
 */
export async function setAccount(
  trx: AuthTransaction,
  id: string,
  changes: Partial<Omit<Account, "id" | "createdAt">>,
): Promise<Account> {
  const query = trx.updateTable("accounts").set(toRow(changes)).where("id", "=", id);
  return toAccount(await query.returningAll().executeTakeFirstOrThrow().catch(translateEmailConflict));
}

/** Replaces a hash if it is still the verified one, so that a password change in between wins. */
export async function setPasswordHashIfUnchanged(
  db: AuthHandle,
  id: string,
  verifiedHash: string,
  newHash: string,
): Promise<boolean> {
  const result = await db
    .updateTable("accounts")
    .set({ password_hash: newHash })
    .where("id", "=", id)
    .where("password_hash", "=", verifiedHash)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Stores the profile fields of a `user.*` event. Older versions are ignored. */
export async function setProfileIfNewer(
  db: AuthHandle,
  id: string,
  profile: Partial<Profile>,
  profileVersion: number,
): Promise<void> {
  await db
    .updateTable("accounts")
    .set({ ...profile, profile_version: profileVersion })
    .where("id", "=", id)
    .where("profile_version", "<", profileVersion)
    .execute();
}

/** Finds the version that an event carries whose change does not raise it. */
export async function findVersion(db: AuthHandle, id: string): Promise<number> {
  const query = db.selectFrom("accounts").select("version").where("id", "=", id);
  return (await query.executeTakeFirstOrThrow()).version;
}

export async function adminExists(db: AuthHandle): Promise<boolean> {
  const row = await db
    .selectFrom("accounts")
    .select("id")
    .where("role", "=", "admin")
    .where("deleted_at", "is", null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function otherActiveAdminExists(trx: AuthTransaction, id: string): Promise<boolean> {
  const row = await trx
    .selectFrom("accounts")
    .select("id")
    .where("role", "=", "admin")
    .where("deleted_at", "is", null)
    .where("is_active", "=", true)
    .where("id", "!=", id)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Locks soft-deleted accounts whose retention is over. Skips accounts that another replica has locked. */
export async function lockErasableAccounts(trx: AuthTransaction, deletedBefore: Date, limit: number) {
  const rows = await trx
    .selectFrom("accounts")
    .selectAll()
    .where("deleted_at", "<", deletedBefore)
    .orderBy("id")
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map(toAccount);
}

function translateEmailConflict(error: unknown): never {
  if (violatedConstraint(error) === "accounts_email_key") throw new AppError("EmailAlreadyExists", { cause: error });
  throw error;
}
