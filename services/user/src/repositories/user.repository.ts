import { parseRole, type Profile, profileOf, type Role } from "@gatehouse/contracts";
import { createRepository } from "@gatehouse/database";
import type { Insertable, Selectable } from "kysely";
import type { UserTables, UserTransaction } from "../db/database.ts";
import type { UserTable } from "../db/tables/user.table.ts";

/** A user: the profile, and a projection of the account. UserTable explains the versions. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly profile: Profile;
  readonly role: Role;
  readonly isActive: boolean;
  readonly isVerified: boolean;
  readonly accountVersion: number;
  readonly deletionVersion: number;
  readonly version: number;
  readonly isRegistered: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | null;
}

export function toUser(row: Selectable<UserTable>): User {
  return {
    id: row.id,
    email: row.email,
    profile: profileOf(row),
    role: parseRole(row.role),
    isActive: row.is_active,
    isVerified: row.is_verified,
    accountVersion: row.account_version,
    deletionVersion: row.deletion_version,
    version: row.version,
    isRegistered: row.is_registered,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
  };
}

const users = createRepository<UserTables, "users", User>({ table: "users", toDomain: toUser });

export const findUser = users.findById;
export const deleteUser = users.delete;

export async function insertUser(trx: UserTransaction, user: User): Promise<void> {
  await users.insert(trx, toRow(user));
}

/** Writes only what differs, so a role that this build reads as `unknown` stays as stored. */
export async function setUser(trx: UserTransaction, before: User, after: User): Promise<void> {
  const was: Record<string, unknown> = { ...toRow(before) };
  const changed = Object.entries(toRow(after)).filter(([column, value]) => !isSame(was[column], value));
  if (changed.length > 0) await users.set(trx, before.id, Object.fromEntries(changed));
}

function toRow(user: User): Insertable<UserTable> {
  return {
    id: user.id,
    email: user.email,
    ...user.profile,
    role: user.role,
    is_active: user.isActive,
    is_verified: user.isVerified,
    account_version: user.accountVersion,
    deletion_version: user.deletionVersion,
    version: user.version,
    is_registered: user.isRegistered,
    created_at: user.createdAt,
    updated_at: user.updatedAt,
    deleted_at: user.deletedAt,
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return one instanceof Date && other instanceof Date ? one.getTime() === other.getTime() : one === other;
}
