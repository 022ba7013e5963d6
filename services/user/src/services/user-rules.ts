import { type EventData, type Profile, profileOf, type Role, timeOfId, type USER_EVENTS } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import type { Known } from "../repositories/user-record.repository.ts";
import type { User } from "../repositories/user.repository.ts";

/*
 * What one user's record becomes when something is learnt of it. Pure: the caller reads `Known` under the user's lock,
 * stores what comes out and announces it in the same transaction.
 *
 * Facts of the account come twice, as auth's answer and as its event, and events come late, repeated and in any order
 * (revoking ones even leave auth first). Every order must end in the same record:
 *  - what auth says of the account is taken only from a version above the one it was last taken from;
 *  - deletion has a version of its own, since the event of a deletion does not carry the other facts,
 *    and so must not hide an older change of them that is still on its way;
 *  - any fact that carries the account makes a missing row; only its creation carries the profile and registers it;
 *  - a soft deletion heard of before its user waits beside the table; an erasure leaves a tombstone and nothing comes after it.
 */

/** An event to be written with the change; `version` is the user's own. */
export type Announcement = {
  [S in UserSubject]: { readonly type: S; readonly version: number; readonly data: EventData<S> };
}[UserSubject];
type UserSubject = keyof typeof USER_EVENTS;

export interface Change {
  readonly known: Known;
  readonly announcements: readonly Announcement[];
}

/** The account as auth has it at `version`, not older than `at`. Only a creation has `profile`. */
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

/** Takes in what auth said, once; the same or an older fact again changes nothing. */
export function learn(known: Known, fact: Fact): Change {
  if (known.tombstone !== undefined) return unchanged(known);
  if (fact.kind === "erasure") return erase(known, fact);
  if (fact.kind === "account") return learnAccount(known, fact);
  if (known.user === undefined) return awaitUser(known, fact);
  const announcements: Announcement[] = [];
  return { known: { user: settleDeletion(known.user, fact, announcements) }, announcements };
}

/**
 * Sets the fields in `changes`. Values that do not differ change nothing.
 * @throws AppError UserNotFound
 */
export function changeProfile(known: Known, changes: Partial<Profile>, now: Date): Change {
  const { user } = known;
  if (user === undefined || user.deletedAt !== null) throw new AppError("UserNotFound");
  const given = Object.keys(changes) as (keyof Profile)[];
  const changed = given.filter((field) => !user.isRegistered || user.profile[field] !== changes[field]);
  if (changed.length === 0) return unchanged(known);
  const announcements: Announcement[] = [];
  // These values are newer than those of the creation's event, so the rule does not wait for that event.
  const before = user.isRegistered ? user : register(user, profileOf({}), announcements);
  const profile = { ...before.profile, ...changes };
  const after = { ...before, profile, version: before.version + 1, updatedAt: later(before.updatedAt, now) };
  announcements.push({
    type: "user.profile.updated",
    version: after.version,
    data: { user_id: after.id, ...profile, changed },
  });
  return { known: { user: after }, announcements };
}

/** Several changes as one. */
export function inTurn(known: Known, ...steps: readonly ((known: Known) => Change)[]): Change {
  return steps.reduce<Change>((before, step) => {
    const after = step(before.known);
    return { known: after.known, announcements: [...before.announcements, ...after.announcements] };
  }, unchanged(known));
}

function learnAccount(known: Known, fact: AccountFact): Change {
  const announcements: Announcement[] = [];
  let user = withAccount(known.user ?? blank(fact), fact);
  user = settleDeletion(user, fact, announcements);
  if (known.earlyDeletion) user = settleDeletion(user, known.earlyDeletion, announcements);
  if (!user.isRegistered && fact.profile !== undefined) user = register(user, fact.profile, announcements);
  return { known: { user }, announcements };
}

function withAccount(user: User, fact: AccountFact): User {
  if (fact.version <= user.accountVersion) return user;
  const { email, role, isActive, isVerified } = fact;
  const updatedAt = later(user.updatedAt, fact.at);
  return { ...user, email, role, isActive, isVerified, accountVersion: fact.version, updatedAt };
}

function blank({ id, email, role, isActive, isVerified }: AccountFact): User {
  const createdAt = timeOfId(id);
  const versions = { accountVersion: 0, deletionVersion: 0, version: 0 };
  const account = { email, role, isActive, isVerified };
  return {
    id,
    profile: profileOf({}),
    ...account,
    ...versions,
    isRegistered: false,
    createdAt,
    updatedAt: createdAt,
    deletedAt: null,
  };
}

/** Whether the user is deleted, as of a version of the account. */
function settleDeletion(
  user: User,
  { version, deletedAt }: { version: number; deletedAt: Date | null },
  announcements: Announcement[],
): User {
  if (version <= user.deletionVersion) return user;
  const updatedAt = deletedAt ? later(user.updatedAt, deletedAt) : user.updatedAt;
  const after = { ...user, deletedAt, deletionVersion: version, updatedAt };
  const flipped = (deletedAt === null) !== (user.deletedAt === null);
  // Nothing is announced of a user before its registration is.
  return flipped && user.isRegistered ? announceDeletion(after, announcements) : after;
}

function register(user: User, profile: Profile, announcements: Announcement[]): User {
  const after = { ...user, profile, isRegistered: true, version: user.version + 1 };
  const data = { user_id: after.id, email: after.email, ...profile };
  announcements.push({ type: "user.registered", version: after.version, data });
  return after.deletedAt === null ? after : announceDeletion(after, announcements);
}

function announceDeletion(user: User, announcements: Announcement[]): User {
  const version = user.version + 1;
  if (user.deletedAt === null) announcements.push({ type: "user.restored", version, data: { user_id: user.id } });
  else announcements.push({ type: "user.deleted", version, data: { user_id: user.id, soft: true } });
  return { ...user, version };
}

/** An erasure is announced even of a user that was never registered here: others may hold something of that id. */
function erase({ user }: Known, { id, version, at }: ErasureFact): Change {
  const announcement: Announcement = {
    type: "user.deleted",
    version: (user?.version ?? 0) + 1,
    data: { user_id: id, soft: false },
  };
  return { known: { tombstone: { id, version, deletedAt: at } }, announcements: [announcement] };
}

function awaitUser(known: Known, { id, version, deletedAt }: DeletionFact): Change {
  if (known.earlyDeletion && known.earlyDeletion.version >= version) return unchanged(known);
  return unchanged({ earlyDeletion: { id, version, deletedAt } });
}

function unchanged(known: Known): Change {
  return { known, announcements: [] };
}

function later(one: Date, other: Date): Date {
  return one > other ? one : other;
}
