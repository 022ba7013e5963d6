import type { Answer, Outcome } from "./call.ts";

/** The acts that change something. */
export type ChangeName =
  | "register"
  | "admin create"
  | "rename"
  | "change email"
  | "change password"
  | "log in"
  | "log out"
  | "log out everywhere"
  | "remove a session"
  | "replay"
  | "delete oneself"
  | "admin verify"
  | "admin deactivate"
  | "admin activate"
  | "admin role"
  | "admin password"
  | "admin restore"
  | "admin erase";

/** One change that a client asked for, and what it was told. */
export interface Entry {
  readonly act: ChangeName;
  /** Whom it concerns; undefined when a registration was not answered. */
  readonly userId: string | undefined;
  /** What it sets or ends, unlike any other: an email, a name, a session's id. */
  readonly value?: string | undefined;
  readonly outcome: Outcome;
  readonly status: number;
}

/** A token that must be refused by now, or soon. */
export interface Revoked {
  readonly token: string;
  readonly act: ChangeName;
  /** By `performance.now()`, when its end was acknowledged. */
  readonly at: number;
}

/** What all clients together remember. */
export interface Journal {
  readonly entries: Entry[];
  readonly revoked: Revoked[];
  /** Refresh tokens of sessions that have ended for sure. */
  readonly spentCookies: string[];
  /** What was seen to be wrong while it ran. */
  readonly complaints: string[];
  /** What is being broken at present. */
  during: string;
}

export function createJournal(): Journal {
  return { entries: [], revoked: [], spentCookies: [], complaints: [], during: "nothing in particular" };
}

/** Puts on record what must not be, with what was broken at the time. */
export function noteComplaint(journal: Journal, what: string): void {
  journal.complaints.push(`${what} (during: ${journal.during})`);
}

export function noteChange(
  journal: Journal,
  act: ChangeName,
  { outcome, status }: Answer,
  about: { readonly userId?: string | undefined; readonly value?: string | undefined },
): void {
  journal.entries.push({ act, userId: about.userId, value: about.value, outcome, status });
}
