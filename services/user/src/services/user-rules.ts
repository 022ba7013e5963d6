import { type EventData, type Profile, profileOf, type Role, timeOfId, type USER_EVENTS } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { UserRecord } from "../repositories/user-record.repository.ts";
import type { User } from "../repositories/user.repository.ts";

/*
 * The rules of one user's record. They are pure: the caller reads the record under the user's lock, stores the result and
 * writes its events in the same transaction.
 *
 * A fact about an account arrives twice: in auth's response and in auth's event. Events arrive late, repeated and in any
 * order. Every order must end in the same record:
 *  - Account fields change only with a version above the stored one.
 *  - Deletion has a version of its own. Its event carries no other field, so it must not hide an older change of them.
 *  - Any fact with the account creates a missing row. Only the creation carries the profile, and it registers the user.
 *  - A soft deletion that arrives before its user is kept apart. An erasure leaves a tombstone, and nothing follows it.
 */

type UserSubject = keyof typeof USER_EVENTS;

/** An event to write with the change. `version` is the version of the user, not of the account. */
export type UserEvent = {
  [S in UserSubject]: { readonly type: S; readonly version: number; readonly data: EventData<S> };
}[UserSubject];

export interface Change {
  readonly record: UserRecord;
  readonly events: readonly UserEvent[];
}

/** The account as auth stores it at `version`, not before `at`. Only a creation has `profile`. */
export interface AccountFact {
  readonly kind: "account";
  readonly id: string;
  readonly version: number;
  readonly at: Date;
  readonly email: string;
  readonly role: Role;
  readonly isActive: boolean;
  readonly isVerified: boolean;
  readonly deletedAt: Date | null;
  readonly profile?: Profile;
}

export interface DeletionFact {
  readonly kind: "deletion";
  readonly id: string;
  readonly version: number;
  readonly deletedAt: Date;
}

export interface ErasureFact {
  readonly kind: "erasure";
  readonly id: string;
  readonly version: number;
  readonly at: Date;
}

export type Fact = AccountFact | DeletionFact | ErasureFact;

/** Applies a fact from auth. A repeated or older fact changes nothing. */
export function applyFact(record: UserRecord, fact: Fact): Change {
  if (record.tombstone !== undefined) return unchanged(record);
  if (fact.kind === "erasure") return erase(record, fact);
  if (fact.kind === "account") return applyAccount(record, fact);
  if (record.user === undefined) return keepEarlyDeletion(record, fact);
  const events: UserEvent[] = [];
  return { record: { user: applyDeletion(record.user, fact, events) }, events };
}

/**
 * Sets the fields in `changes`. Values that do not differ change nothing.
 * @throws AppError UserNotFound
 */
export function changeProfile(record: UserRecord, changes: Partial<Profile>, now: Date): Change {
  const { user } = record;
  if (user === undefined || user.deletedAt !== null) throw new AppError("UserNotFound");
  const given = Object.keys(changes) as (keyof Profile)[];
  const changed = given.filter((field) => !user.isRegistered || user.profile[field] !== changes[field]);
  if (changed.length === 0) return unchanged(record);
  const events: UserEvent[] = [];
  // These values are newer than those of the creation's event, so the rule does not wait for that event.
  const before = user.isRegistered ? user : register(user, profileOf({}), events);
  const profile = { ...before.profile, ...changes };
  const after = { ...before, profile, version: before.version + 1, updatedAt: later(before.updatedAt, now) };
  const data = { user_id: after.id, ...profile, changed };
  events.push({ type: "user.profile.updated", version: after.version, data });
  return { record: { user: after }, events };
}

/** Applies several rules, one after the other, as one change. */
export function applyRules(record: UserRecord, ...rules: readonly ((record: UserRecord) => Change)[]): Change {
  return rules.reduce<Change>((before, rule) => {
    const after = rule(before.record);
    return { record: after.record, events: [...before.events, ...after.events] };
  }, unchanged(record));
}

function applyAccount(record: UserRecord, fact: AccountFact): Change {
  const events: UserEvent[] = [];
  let user = withAccount(record.user ?? emptyUser(fact), fact);
  user = applyDeletion(user, fact, events);
  if (record.earlyDeletion) user = applyDeletion(user, record.earlyDeletion, events);
  if (!user.isRegistered && fact.profile !== undefined) user = register(user, fact.profile, events);
  return { record: { user }, events };
}

function withAccount(user: User, fact: AccountFact): User {
  if (fact.version <= user.accountVersion) return user;
  const { email, role, isActive, isVerified } = fact;
  const updatedAt = later(user.updatedAt, fact.at);
  return { ...user, email, role, isActive, isVerified, accountVersion: fact.version, updatedAt };
}

function emptyUser({ id, email, role, isActive, isVerified }: AccountFact): User {
  const createdAt = timeOfId(id);
  const versions = { accountVersion: 0, deletionVersion: 0, version: 0 };
  const account = { email, role, isActive, isVerified };
  const times = { createdAt, updatedAt: createdAt, deletedAt: null };
  return { id, profile: profileOf({}), ...account, ...versions, isRegistered: false, ...times };
}

/** Sets or clears `deletedAt`, as of a version of the account. */
function applyDeletion(
  user: User,
  { version, deletedAt }: { version: number; deletedAt: Date | null },
  events: UserEvent[],
): User {
  if (version <= user.deletionVersion) return user;
  const updatedAt = deletedAt ? later(user.updatedAt, deletedAt) : user.updatedAt;
  const after = { ...user, deletedAt, deletionVersion: version, updatedAt };
  const hasChanged = (deletedAt === null) !== (user.deletedAt === null);
  // `user.registered` is always a user's first event.
  return hasChanged && user.isRegistered ? addDeletionEvent(after, events) : after;
}

function register(user: User, profile: Profile, events: UserEvent[]): User {
  const after = { ...user, profile, isRegistered: true, version: user.version + 1 };
  const data = { user_id: after.id, email: after.email, ...profile };
  events.push({ type: "user.registered", version: after.version, data });
  return after.deletedAt === null ? after : addDeletionEvent(after, events);
}

function addDeletionEvent(user: User, events: UserEvent[]): User {
  const version = user.version + 1;
  if (user.deletedAt === null) events.push({ type: "user.restored", version, data: { user_id: user.id } });
  else events.push({ type: "user.deleted", version, data: { user_id: user.id, soft: true } });
  return { ...user, version };
}

/** Consumers may store data about a user that was never registered here, so an erasure always has its event. */
function erase({ user }: UserRecord, { id, version, at }: ErasureFact): Change {
  const event: UserEvent = {
    type: "user.deleted",
    version: (user?.version ?? 0) + 1,
    data: { user_id: id, soft: false },
  };
  return { record: { tombstone: { id, version, deletedAt: at } }, events: [event] };
}

function keepEarlyDeletion(record: UserRecord, { id, version, deletedAt }: DeletionFact): Change {
  if (record.earlyDeletion && record.earlyDeletion.version >= version) return unchanged(record);
  return unchanged({ earlyDeletion: { id, version, deletedAt } });
}

export function unchanged(record: UserRecord): Change {
  return { record, events: [] };
}

function later(one: Date, other: Date): Date {
  return one > other ? one : other;
}
