import type { DeleteAccountCommand, GatehouseEvent, OnBehalfOf } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { AuthTransact, AuthTransaction } from "../../db/database.ts";
import {
  type Account,
  lockErasableAccounts,
  deleteAccounts,
  setAccount,
} from "../../repositories/accounts/account.repository.ts";
import { setSessionsEnded, deleteSessionsOf } from "../../repositories/sessions/session.repository.ts";
import { insertTombstones } from "../../repositories/accounts/tombstone.repository.ts";
import { accountDeleted, accountRestored } from "./account-events.ts";
import { lockActor, lockActorAndTarget, requireAdmin, toActor } from "./actor.ts";
import { keepOneAdmin, lockAdmins } from "./last-admin.ts";
import type { PasswordChangeService } from "../passwords/password-change.service.ts";

type Emit = (event: GatehouseEvent) => void;

export interface DeletionServiceDeps {
  readonly transact: AuthTransact;
  readonly passwords: Pick<PasswordChangeService, "verifyOwnPassword">;
  readonly retentionDays: number;
  readonly now: () => Date;
}

export type DeletionService = ReturnType<typeof createDeletionService>;

/** Deletes accounts softly for their owner and for good for an admin, restores them, and erases them after the retention. */
export function createDeletionService({ transact, passwords, retentionDays, now }: DeletionServiceDeps) {
  async function softDelete(id: string, command: DeleteAccountCommand): Promise<Account> {
    if (command.password === undefined || command.on_behalf_of.sub !== id) throw new AppError("PermissionDenied");
    await passwords.verifyOwnPassword(id, command.password);
    return transact(async (trx, emit) => {
      await lockAdmins(trx);
      // Fails if the password changed since it was verified: each password change raises token_version.
      const leaving = await lockActor(trx, toActor(command.on_behalf_of));
      await keepOneAdmin(trx, leaving);
      const account = await setAccount(trx, id, {
        deletedAt: now(),
        updatedAt: now(),
        tokenVersion: leaving.tokenVersion + 1,
        version: leaving.version + 1,
      });
      await setSessionsEnded(trx, id, "deleted");
      emit(accountDeleted(account, true, id));
      return account;
    });
  }

  async function hardDelete(id: string, onBehalfOf: OnBehalfOf): Promise<Account> {
    return transact(async (trx, emit) => {
      await lockAdmins(trx);
      const { actorAccount, target } = await lockActorAndTarget(trx, toActor(onBehalfOf), id);
      requireAdmin(actorAccount);
      if (!target) throw new AppError("UserNotFound");
      await keepOneAdmin(trx, target);
      const [erased] = await erase(trx, [target], emit, onBehalfOf.sub);
      return erased ?? target;
    });
  }

  return {
    /** @throws AppError UserNotFound, LastAdmin, InvalidCredentials, PermissionDenied, TokenRevokedError */
    async remove(id: string, command: DeleteAccountCommand): Promise<Account> {
      return command.soft ? softDelete(id, command) : hardDelete(id, command.on_behalf_of);
    },

    /** Restores a soft-deleted account; an account that is not deleted stays as it is. @throws AppError UserNotFound, EmailAlreadyExists */
    async restore(id: string, onBehalfOf: OnBehalfOf): Promise<Account> {
      return transact(async (trx, emit) => {
        const { actorAccount, target } = await lockActorAndTarget(trx, toActor(onBehalfOf), id);
        requireAdmin(actorAccount);
        if (!target) throw new AppError("UserNotFound");
        if (target.deletedAt === null) return target;
        const account = await setAccount(trx, id, {
          deletedAt: null,
          updatedAt: now(),
          version: target.version + 1,
        });
        emit(accountRestored(account, onBehalfOf.sub));
        return account;
      });
    },

    /** Erases up to `limit` accounts whose retention is over and returns their number. */
    async eraseExpired(limit: number): Promise<number> {
      const deletedBefore = new Date(now().getTime() - retentionDays * 86_400_000);
      return transact(async (trx, emit) => {
        const erased = await erase(trx, await lockErasableAccounts(trx, deletedBefore, limit), emit);
        return erased.length;
      });
    },
  };
}

/** Deletes locked accounts and writes tombstones. Sessions are deleted under the account's lock, so no login can add one. */
async function erase(trx: AuthTransaction, accounts: readonly Account[], emit: Emit, actor?: string) {
  if (accounts.length === 0) return [];
  const ids = accounts.map(({ id }) => id);
  const erased = accounts.map((account) => ({
    ...account,
    version: account.version + 1,
    tokenVersion: account.tokenVersion + 1,
    deletedAt: null,
  }));
  await deleteSessionsOf(trx, ids);
  await deleteAccounts(trx, ids);
  await insertTombstones(trx, erased);
  for (const account of erased) emit(accountDeleted(account, false, actor));
  return erased;
}
