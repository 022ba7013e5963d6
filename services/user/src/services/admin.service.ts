import type { AccessClaims } from "@gatehouse/access";
import {
  type AdminCreateUserBody,
  type AdminListUsersQuery,
  type AdminUpdateUserBody,
  profileChangesOf,
  profileOf,
} from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { UserHandle } from "../db/database.ts";
import { countUsers, listUsers } from "../repositories/user-list.repository.ts";
import { findUser, type User } from "../repositories/user.repository.ts";
import type { UserWriter } from "./user-writer.service.ts";

interface UserPage {
  readonly items: readonly User[];
  readonly total: number;
  readonly totalExact: boolean;
  /** The id of the last item; null on the last page. */
  readonly nextCursor: string | null;
}

/** What admins do with any user. Every function throws UserNotFound for an unknown id. */
export interface AdminService {
  list(query: AdminListUsersQuery): Promise<UserPage>;
  find(id: string): Promise<User>;
  create(caller: AccessClaims, body: AdminCreateUserBody): Promise<User>;
  /** @throws AppError UserNotFound for a soft-deleted user, too: it can only be restored or erased */
  update(caller: AccessClaims, id: string, changes: AdminUpdateUserBody): Promise<User>;
  erase(caller: AccessClaims, id: string): Promise<void>;
  restore(caller: AccessClaims, id: string): Promise<User>;
}

export interface AdminServiceDeps {
  readonly db: UserHandle;
  readonly writer: UserWriter;
}

export function createAdminService({ db, writer }: AdminServiceDeps): AdminService {
  async function find(id: string): Promise<User> {
    const user = await findUser(db, id);
    if (user === undefined) throw new AppError("UserNotFound");
    return user;
  }

  return {
    async list({ skip, limit, cursor, q, role, is_active: isActive, is_deleted: isDeleted }) {
      const filter = { search: q, role, isActive, isDeleted };
      // One row more than the page holds shows whether a next page exists.
      const [users, count] = await Promise.all([
        listUsers(db, filter, { before: cursor, skip, limit: limit + 1 }),
        countUsers(db, filter),
      ]);
      const items = users.slice(0, limit);
      const nextCursor = users.length > limit ? (items.at(-1)?.id ?? null) : null;
      return { items, total: count.total, totalExact: count.exact, nextCursor };
    },

    find,

    create: (caller, body) => {
      const { email, password, role = "user", is_active: isActive = true, is_verified: isVerified = false } = body;
      return writer.create({ email, password, profile: profileOf(body), role, isActive, isVerified }, caller);
    },

    async update(caller, id, changes) {
      const { email, password, role, is_active: isActive, is_verified: isVerified } = changes;
      const profile = profileChangesOf(changes);
      if (Object.values(changes).some((value) => value !== undefined))
        return writer.update(id, { email, password, profile, role, isActive, isVerified }, caller);
      const user = await find(id);
      if (user.deletedAt !== null) throw new AppError("UserNotFound");
      return user;
    },

    erase: (caller, id) => writer.remove(id, { soft: false }, caller),
    restore: (caller, id) => writer.restore(id, caller),
  };
}
