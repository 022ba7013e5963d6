import type { AccessClaims } from "@gatehouse/access";
import { type AssignableRole, newId, type OnBehalfOf, type Profile } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { AccountClient } from "../clients/account.client.ts";
import type { User } from "../repositories/user.repository.ts";

export type { User } from "../repositories/user.repository.ts";
import { factOfAccount, factOfDeletion } from "./account-facts.ts";
import type { UserLedger } from "./user-record.service.ts";
import { changeProfile, inTurn, learn } from "./user-rules.ts";

interface NewUser {
  readonly email: string;
  readonly password: string;
  readonly profile: Profile;
  readonly role: AssignableRole;
  readonly isActive: boolean;
  readonly isVerified: boolean;
}

/** Absent fields stay. */
interface UserChanges {
  readonly email?: string | undefined;
  readonly password?: string | undefined;
  readonly profile: Partial<Profile>;
  readonly role?: AssignableRole | undefined;
  readonly isActive?: boolean | undefined;
  readonly isVerified?: boolean | undefined;
}

/**
 * The write paths of the design: auth decides and commits first, then its answer is stored here, so that the caller reads
 * its own write. When this service dies in between, its consumer of auth's event does the rest. Nothing is stored that
 * auth did not confirm. Every function throws auth's refusals as they are.
 */
export interface UserWriter {
  /** `caller`: null when nobody is logged in. */
  create(user: NewUser, caller: AccessClaims | null): Promise<User>;
  update(id: string, changes: UserChanges, caller: AccessClaims): Promise<User>;
  /** With `password`: by its owner, who proves it. */
  remove(id: string, how: { soft: boolean; password?: string }, caller: AccessClaims): Promise<void>;
  restore(id: string, caller: AccessClaims): Promise<User>;
}

export interface UserWriterOptions {
  readonly accounts: AccountClient;
  readonly ledger: UserLedger;
  readonly now: () => Date;
}

export function createUserWriter({ accounts, ledger, now }: UserWriterOptions): UserWriter {
  return {
    async create({ email, password, profile, role, isActive, isVerified }, caller) {
      const account = await accounts.create({
        id: newId(),
        email,
        password,
        ...profile,
        role,
        is_active: isActive,
        is_verified: isVerified,
        on_behalf_of: caller && onBehalfOf(caller),
      });
      const fact = { ...factOfAccount(account), profile };
      return existing(await ledger.change(account.id, caller?.sub, (known) => learn(known, fact)));
    },

    async update(id, changes, caller) {
      const { profile } = changes;
      const command = accountChanges(changes);
      const fact =
        command && factOfAccount(await accounts.update(id, { ...command, on_behalf_of: onBehalfOf(caller) }));
      const user = await ledger.change(id, caller.sub, (known) =>
        inTurn(
          known,
          (before) => (fact ? learn(before, fact) : { known: before, announcements: [] }),
          (before) =>
            Object.keys(profile).length === 0
              ? { known: before, announcements: [] }
              : changeProfile(before, profile, now()),
        ),
      );
      return existing(user);
    },

    async remove(id, { soft, password }, caller) {
      const command = { soft, on_behalf_of: onBehalfOf(caller), ...(password !== undefined && { password }) };
      const fact = factOfDeletion(await accounts.remove(id, command), now());
      await ledger.change(id, caller.sub, (known) => learn(known, fact));
    },

    async restore(id, caller) {
      const fact = factOfAccount(await accounts.restore(id, { on_behalf_of: onBehalfOf(caller) }));
      return existing(await ledger.change(id, caller.sub, (known) => learn(known, fact)));
    },
  };
}

/** The part of the changes that is auth's; undefined when there is none. */
function accountChanges({ email, password, role, isActive, isVerified }: UserChanges) {
  const command = {
    ...(email !== undefined && { email }),
    ...(password !== undefined && { password }),
    ...(role !== undefined && { role }),
    ...(isActive !== undefined && { is_active: isActive }),
    ...(isVerified !== undefined && { is_verified: isVerified }),
  };
  return Object.keys(command).length > 0 ? command : undefined;
}

/** On whose behalf a command goes to auth, which checks it again in the command's transaction. */
function onBehalfOf({ sub, sid, tokenVersion }: AccessClaims): OnBehalfOf {
  return { sub, sid, token_version: tokenVersion };
}

/** @throws AppError UserNotFound: the user was erased while the command was on its way back. */
function existing(user: User | undefined): User {
  if (user === undefined) throw new AppError("UserNotFound");
  return user;
}
