import type { AccessClaims } from "@gatehouse/access";
import { profileChangesOf, profileOf, type RegisterBody, type UpdateMeBody } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { UserHandle } from "../db/database.ts";
import { findKnown } from "../repositories/user-record.repository.ts";
import { findUser, type User } from "../repositories/user.repository.ts";
import type { UserWriter } from "./user-writer.service.ts";

/** What people do with their own user, and see of others. */
export interface ProfileService {
  register(body: RegisterBody): Promise<User>;
  /** @throws AppError TokenRevokedError when the user is gone, ServiceUnavailable when it has not arrived here yet */
  me(caller: AccessClaims): Promise<User>;
  updateMe(caller: AccessClaims, changes: UpdateMeBody): Promise<User>;
  deleteMe(caller: AccessClaims, password: string): Promise<void>;
  /** `whole`: the caller may see all of the user, else only what is public. */
  view(caller: AccessClaims, id: string): Promise<{ user: User; whole: boolean }>;
}

export interface ProfileServiceOptions {
  readonly db: UserHandle;
  readonly writer: UserWriter;
}

export function createProfileService({ db, writer }: ProfileServiceOptions): ProfileService {
  async function me(caller: AccessClaims): Promise<User> {
    const { user, tombstone, earlyDeletion } = await findKnown(db, caller.sub);
    // The verifier is about to hear the same; this row already knows.
    if (tombstone || earlyDeletion || user?.deletedAt) throw new AppError("TokenRevokedError");
    if (user) return user;
    // The token proves that auth has the account: its event is still on the way (an admin made by an operator, say).
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
      if (id === caller.sub) return { user: await me(caller), whole: true };
      const user = await findUser(db, id);
      if (user === undefined || user.deletedAt !== null) throw new AppError("UserNotFound");
      return { user, whole: caller.role === "admin" };
    },
  };
}
