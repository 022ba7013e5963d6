import type { AccessClaims } from "@gatehouse/access";
import { type AssignableRole, newId, type OnBehalfOf, type Profile } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { AccountClient } from "../clients/account.client.ts";
import type { User } from "../repositories/user.repository.ts";
import { accountFact, deletionFact } from "./account-facts.ts";
import type { UserRecordService } from "./user-record.service.ts";
import { applyFact, applyRules, changeProfile, unchanged } from "./user-rules.ts";

export type { User } from "../repositories/user.repository.ts";

interface NewUser {
  readonly email: string;
  readonly password: string;
  readonly profile: Profile;
  readonly role: AssignableRole;
  readonly isActive: boolean;
  readonly isVerified: boolean;
}

/** Absent fields stay unchanged. */
interface UserChanges {
  readonly email?: string | undefined;
  readonly password?: string | undefined;
  readonly profile: Partial<Profile>;
  readonly role?: AssignableRole | undefined;
  readonly isActive?: boolean | undefined;
  readonly isVerified?: boolean | undefined;
}

/**
 * The write paths (docs/reference/design.md). Auth decides and commits first. This service then stores auth's response, so
 * the caller reads its own write. If the process dies in between, the consumer of auth's event stores the same.
 * Every function throws auth's errors unchanged.
 */
export interface UserWriter {
  /** `caller` is null when the request has no user. */
  create(user: NewUser, caller: AccessClaims | null): Promise<User>;
  update(id: string, changes: UserChanges, caller: AccessClaims): Promise<User>;
  /** `password` is required when users delete themselves; auth verifies it. */
  remove(id: string, options: { soft: boolean; password?: string }, caller: AccessClaims): Promise<void>;
  restore(id: string, caller: AccessClaims): Promise<User>;
}

export interface UserWriterDeps {
  readonly accounts: AccountClient;
  readonly records: UserRecordService;
  readonly now: () => Date;
}

export function createUserWriter({ accounts, records, now }: UserWriterDeps): UserWriter {
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
      const fact = { ...accountFact(account), profile };
      return existing(await records.change(account.id, caller?.sub, (record) => applyFact(record, fact)));
    },

    async update(id, changes, caller) {
      const command = accountChanges(changes);
      const account = command && (await accounts.update(id, { ...command, on_behalf_of: onBehalfOf(caller) }));
      const { profile } = changes;
      const user = await records.change(id, caller.sub, (record) =>
        applyRules(
          record,
          (before) => (account ? applyFact(before, accountFact(account)) : unchanged(before)),
          (before) => (hasFields(profile) ? changeProfile(before, profile, now()) : unchanged(before)),
        ),
      );
      return existing(user);
    },

    async remove(id, { soft, password }, caller) {
      const command = { soft, on_behalf_of: onBehalfOf(caller), ...(password !== undefined && { password }) };
      const fact = deletionFact(await accounts.remove(id, command), now());
      await records.change(id, caller.sub, (record) => applyFact(record, fact));
    },

    async restore(id, caller) {
      const fact = accountFact(await accounts.restore(id, { on_behalf_of: onBehalfOf(caller) }));
      return existing(await records.change(id, caller.sub, (record) => applyFact(record, fact)));
    },
  };
}

/** Returns the changes that auth owns; undefined when there are none. */
function accountChanges({ email, password, role, isActive, isVerified }: UserChanges) {
  const command = {
    ...(email !== undefined && { email }),
    ...(password !== undefined && { password }),
    ...(role !== undefined && { role }),
    ...(isActive !== undefined && { is_active: isActive }),
    ...(isVerified !== undefined && { is_verified: isVerified }),
  };
  return hasFields(command) ? command : undefined;
}

function hasFields(changes: object): boolean {
  return Object.keys(changes).length > 0;
}

/** Returns the caller for auth, which authorizes the caller again inside the command's transaction. */
function onBehalfOf({ sub, sid, tokenVersion }: AccessClaims): OnBehalfOf {
  return { sub, sid, token_version: tokenVersion };
}

/** @throws AppError UserNotFound when the user was erased during the command */
function existing(user: User | undefined): User {
  if (user === undefined) throw new AppError("UserNotFound");
  return user;
}
