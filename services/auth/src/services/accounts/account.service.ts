import type { CreateAccountCommand, UpdateAccountCommand } from "@gatehouse/contracts";
import { profileOf, timeOfId } from "@gatehouse/contracts";
import { AppError, isAppError } from "@gatehouse/errors";
import type { AuthHandle, AuthTransact, AuthTransaction } from "../../db/database.ts";
import {
  type Account,
  findAccount,
  findAccountByEmail,
  insertAccount,
  type NewAccount,
  setAccount,
} from "../../repositories/accounts/account.repository.ts";
import { setSessionsEnded } from "../../repositories/sessions/session.repository.ts";
import { tombstoneExists } from "../../repositories/accounts/tombstone.repository.ts";
import { planAccountChange } from "./account-change.ts";
import { accountCreated, accountUpdated, passwordChanged, sessionsRevoked } from "./account-events.ts";
import { lockActorAndTarget, requireAdmin, toActor } from "./actor.ts";
import { keepOneAdmin, lockAdmins } from "./last-admin.ts";
import type { PasswordHasher } from "../passwords/password-hasher.ts";

export interface AccountServiceDeps {
  readonly db: AuthHandle;
  readonly transact: AuthTransact;
  readonly hasher: PasswordHasher;
  readonly now: () => Date;
}

export type AccountService = ReturnType<typeof createAccountService>;

/** Creates and changes accounts on command of the user service. */
export function createAccountService({ db, transact, hasher, now }: AccountServiceDeps) {
  /** Returns the account of a repeated command. Runs before the hash because it is cheap. */
  async function findCreated({ id, email }: CreateAccountCommand): Promise<Account | undefined> {
    const existing = await findAccountByEmail(db, email);
    if (existing && existing.id !== id) throw new AppError("EmailAlreadyExists");
    return existing;
  }

  async function authorizeCreation(trx: AuthTransaction, command: CreateAccountCommand): Promise<void> {
    if (command.on_behalf_of === null) {
      const plain = command.role === "user" && command.is_active && !command.is_verified;
      if (!plain) throw new AppError("PermissionDenied");
      return;
    }
    const { actorAccount } = await lockActorAndTarget(trx, toActor(command.on_behalf_of), command.id);
    requireAdmin(actorAccount);
  }

  return {
    /**
     * Creates an account. Repeating the id and email returns the same account, because the first response may have been lost.
     * @throws AppError EmailAlreadyExists, ConflictError, PermissionDenied, TokenRevokedError, ServiceUnavailable
     */
    async create(command: CreateAccountCommand): Promise<Account> {
      const created = await findCreated(command);
      if (created) return created;
      const passwordHash = await hasher.hash(command.password);
      const creation = transact(async (trx, emit) => {
        await authorizeCreation(trx, command);
        const account = await insertAccount(trx, newAccount(command, passwordHash));
        // A separate statement sees an erasure that the insert waited for.
        if (await tombstoneExists(trx, command.id)) throw new AppError("ConflictError");
        if (!account) return repeated(await findAccount(trx, command.id), command);
        emit(accountCreated(account, command.on_behalf_of?.sub));
        return account;
      });
      return creation.catch(async (error: unknown) => {
        // A simultaneous insert of the same id and email may violate the email's index first, which ON CONFLICT (id) does not cover.
        const winner = isAppError(error, "EmailAlreadyExists") ? await findCreated(command) : undefined;
        if (!winner) throw error;
        return winner;
      });
    },

    /**
     * Applies the values that differ. Ends the user's sessions in the same transaction when the change requires it.
     * @throws AppError UserNotFound, EmailAlreadyExists, LastAdmin, PermissionDenied, TokenRevokedError, ServiceUnavailable
     */
    async update(id: string, command: UpdateAccountCommand): Promise<Account> {
      const passwordHash = command.password === undefined ? undefined : await hasher.hash(command.password);
      return transact(async (trx, emit) => {
        const mayRemoveAdmin = command.is_active === false || (command.role !== undefined && command.role !== "admin");
        if (mayRemoveAdmin) await lockAdmins(trx);
        const { actorAccount, target } = await lockActorAndTarget(trx, toActor(command.on_behalf_of), id);
        authorizeUpdate(actorAccount, id, command);
        if (!target || target.deletedAt !== null) throw new AppError("UserNotFound");

        const change = planAccountChange(target, command, passwordHash);
        if (!change) return target;
        if (change.removesAdmin) await keepOneAdmin(trx, target);
        const account = await setAccount(trx, id, { ...change.values, updatedAt: now() });
        if (change.endsSessions) await setSessionsEnded(trx, id, change.endsSessions);

        const actorId = command.on_behalf_of.sub;
        if (change.changed.length > 0) emit(accountUpdated(account, change.changed, actorId));
        if (change.setsPassword) emit(passwordChanged(account, "admin", actorId));
        if (change.revocationReason) emit(sessionsRevoked(account, change.revocationReason, actorId));
        return account;
      });
    },
  };
}

function newAccount(command: CreateAccountCommand, passwordHash: string): NewAccount {
  return {
    id: command.id,
    email: command.email,
    passwordHash,
    profile: profileOf(command),
    role: command.role,
    isActive: command.is_active,
    isVerified: command.is_verified,
    // Both services derive the creation time from the id.
    createdAt: timeOfId(command.id),
  };
}

function repeated(existing: Account | undefined, command: CreateAccountCommand): Account {
  if (existing?.email === command.email && existing.deletedAt === null) return existing;
  throw new AppError("ConflictError", { detail: "This id belongs to another account. Use a new id." });
}

/** Users may change only their own email; every other change needs an admin. */
function authorizeUpdate(actor: Account, targetId: string, command: UpdateAccountCommand): void {
  const { email: _email, on_behalf_of: _onBehalfOf, ...privileged } = command;
  if (actor.id !== targetId || Object.keys(privileged).length > 0) requireAdmin(actor);
}
