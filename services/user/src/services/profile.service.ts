import type { AccessClaims } from "@gatehouse/access";
import { profileChangesOf, profileOf, type RegisterBody, type UpdateMeBody } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { UserHandle } from "../db/database.ts";
import { findUserRecord } from "../repositories/user-record.repository.ts";
import { findUser, type User } from "../repositories/user.repository.ts";
import type { UserWriter } from "./user-writer.service.ts";

/** What users do with their own user and see of others. */
export interface ProfileService {
  register(body: RegisterBody): Promise<User>;
  /** @throws AppError TokenRevokedError when the user is deleted, ServiceUnavailable when auth's event has not arrived yet */
  me(caller: AccessClaims): Promise<User>;
  updateMe(caller: AccessClaims, changes: UpdateMeBody): Promise<User>;
  deleteMe(caller: AccessClaims, password: string): Promise<void>;
  /**
   * Returns a user and how much of it the caller may see.
   * @throws AppError UserNotFound
   */
  view(caller: AccessClaims, id: string): Promise<{ user: User; scope: "full" | "public" }>;
}

export interface ProfileServiceDeps {
  readonly db: UserHandle;
  readonly writer: UserWriter;
}

export function createProfileService({ db, writer }: ProfileServiceDeps): ProfileService {
  async function me(caller: AccessClaims): Promise<User> {
    const { user, tombstone, earlyDeletion } = await findUserRecord(db, caller.sub);
    // The revocation view may receive the deletion later than this table.
    if (tombstone || earlyDeletion || user?.deletedAt) throw new AppError("TokenRevokedError");
    if (user) return user;
    // The token proves that the account exists. Its event has not arrived, for example after an operator created an admin.
    throw new AppError("ServiceUnavailable", {
      detail: "Your user is being set up; try again shortly.",
      retryAfter: 1,
    });
  }

  return {
    register: (body) => {
      const { email, password } = body;
      const profile = profileOf(body);
      return writer.create({ email, password, profile, role: "user", isActive: true, isVerified: false }, null);
    },

    me,

    async updateMe(caller, changes) {
      const user = await me(caller);
      if (Object.values(changes).every((value) => value === undefined)) return user;
      return writer.update(caller.sub, { email: changes.email, profile: profileChangesOf(changes) }, caller);
    },

    deleteMe: (caller, password) => writer.remove(caller.sub, { soft: true, password }, caller),

    async view(caller, id) {
      if (id === caller.sub) return { user: await me(caller), scope: "full" };
      const user = await findUser(db, id);
      if (user === undefined || user.deletedAt !== null) throw new AppError("UserNotFound");
      return { user, scope: caller.role === "admin" ? "full" : "public" };
    },
  };
}
