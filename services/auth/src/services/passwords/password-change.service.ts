import type { AccessClaims } from "@gatehouse/access";
import { lengthOf, LIMITS } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { AuthHandle, AuthTransact } from "../../db/database.ts";
import { findAccount, setAccount } from "../../repositories/accounts/account.repository.ts";
import { setSessionsEnded } from "../../repositories/sessions/session.repository.ts";
import { passwordChanged } from "../accounts/account-events.ts";
import { actorOf, lockActor } from "../accounts/actor.ts";
import type { PasswordHasher } from "./password-hasher.ts";

export interface PasswordChangeServiceDeps {
  readonly db: AuthHandle;
  readonly transact: AuthTransact;
  readonly hasher: PasswordHasher;
  readonly now: () => Date;
}

export type PasswordChangeService = ReturnType<typeof createPasswordChangeService>;

/** Verifies and changes the password of the caller. */
export function createPasswordChangeService({ db, transact, hasher, now }: PasswordChangeServiceDeps) {
  /** @throws AppError InvalidCredentials, ServiceUnavailable */
  async function verifyOwnPassword(userId: string, password: string): Promise<void> {
    if (lengthOf(password) > LIMITS.passwordMax) throw new AppError("InvalidCredentials");
    const account = await findAccount(db, userId);
    const matches = await hasher.verify(account?.passwordHash, password);
    if (!matches) throw new AppError("InvalidCredentials");
  }

  return {
    verifyOwnPassword,

    /**
     * Sets a new password and logs out all devices.
     * @throws AppError InvalidCredentials, TokenRevokedError, ServiceUnavailable
     */
    async changePassword(caller: AccessClaims, currentPassword: string, newPassword: string): Promise<void> {
      await verifyOwnPassword(caller.sub, currentPassword);
      const newHash = await hasher.hash(newPassword);
      await transact(async (trx, emit) => {
        // Fails if the password changed since it was verified: each password change raises token_version.
        const before = await lockActor(trx, actorOf(caller));
        const account = await setAccount(trx, caller.sub, {
          passwordHash: newHash,
          tokenVersion: before.tokenVersion + 1,
          version: before.version + 1,
          updatedAt: now(),
        });
        await setSessionsEnded(trx, caller.sub, "password_changed");
        emit(passwordChanged(account, "self", account.id));
      });
    },
  };
}
