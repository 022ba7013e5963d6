import type { ChangeName, Journal } from "./journal.ts";

/** A session that is certainly alive, as its holder knows it. */
export interface Session {
  readonly id: string;
  /** Every access token that it was given; none expires during a run. */
  readonly tokens: readonly string[];
  readonly cookie: string;
  /** Refresh tokens that were rotated. */
  readonly spent: readonly string[];
}

/**
 * A user as one client knows it for certain. After a change of it that was not answered nothing is certain any more: the client
 * forgets that user and begins anew with another, and what became of the change is for the ledger to say.
 */
export interface Person {
  readonly id: string;
  email: string;
  password: string;
  /** Undefined after a change of it that was not answered. */
  fullName: string | null | undefined;
  role: "user" | "admin";
  isActive: boolean;
  isVerified: boolean;
  isDeleted: boolean;
  sessions: Session[];
}

/** Takes sessions out of a person's hands, as ended for sure: their tokens must be refused everywhere from now on. */
export function endSessions(
  person: Person,
  ended: readonly Session[],
  { journal, act, at }: { journal: Journal; act: ChangeName; at: number },
): void {
  person.sessions = person.sessions.filter((session) => !ended.includes(session));
  for (const session of ended) {
    for (const token of session.tokens) journal.revoked.push({ token, act, at });
    journal.spentCookies.push(session.cookie);
  }
}

/** Takes a session out of a person's hands whose fate is not known. */
export function dropSession(person: Person, dropped: Session): void {
  person.sessions = person.sessions.filter((session) => session !== dropped);
}
