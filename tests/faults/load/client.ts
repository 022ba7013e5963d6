import { type Answer, type Call, tryCall } from "@gatehouse/test-kit/api";
import type { Random, Tally } from "@gatehouse/test-kit/run";

export interface Reply extends Pick<Answer, "status" | "body" | "cookie"> {
  /** `unanswered` (a 5xx or no answer): the call may take effect or not, now or later. */
  readonly outcome: "done" | "refused" | "unanswered";
  /** When the whole answer was there, by `performance.now()`. */
  readonly at: number;
}

export type Request = readonly [method: "GET" | "POST" | "PATCH" | "DELETE", path: string, call: Call];

/** Longer than the services' own timeouts, so that the services answer. */
const TIMEOUT_MS = 40_000;
/** No fault excuses a 500 or an unknown status. */
const EXCUSED = [0, 502, 503, 504];

/** Sends one request and counts its answer. Never throws. */
export async function send(tally: Tally, base: string, act: string, [method, path, call]: Request): Promise<Reply> {
  const { status, body, cookie } = await tryCall(base, method, path, { ...call, timeoutMs: TIMEOUT_MS });
  const outcome = { 2: "done", 4: "refused" } as const;
  const known = outcome[Math.floor(status / 100) as keyof typeof outcome] as Reply["outcome"] | undefined;
  const expected = known !== undefined || EXCUSED.includes(status) ? status : 200;
  tally.count({ route: act, status, expected, reason: JSON.stringify(body) });
  return { outcome: known ?? "unanswered", status, body, cookie, at: performance.now() };
}

/** A change that a client requested, and its outcome. */
export interface Entry {
  readonly act: string;
  /** The user's id; undefined when a registration was not answered. */
  readonly userId?: string | undefined;
  /** The unique value that the change sets or ends: an email, a name, a session's id. */
  readonly value?: string | undefined;
  readonly outcome: Reply["outcome"];
}

/** What all clients together know. */
export interface Journal {
  readonly entries: Entry[];
  /** Access tokens that must be rejected soon; `at` is when the revocation was acknowledged, by `performance.now()`. */
  readonly revoked: { readonly token: string; readonly act: string; readonly at: number }[];
  /** Refresh tokens of ended sessions. */
  readonly endedCookies: string[];
  /** Wrong answers, with the fault of that time. */
  readonly complaints: string[];
  /** The current fault. */
  during: string;
}

export function complain(journal: Journal, what: string): void {
  journal.complaints.push(`${what} (during: ${journal.during})`);
}

/** A session that is certainly alive. */
export interface Session {
  readonly id: string;
  /** All its access tokens; none expires during a run. */
  readonly tokens: readonly string[];
  readonly cookie: string;
  /** Refresh tokens that were rotated. */
  readonly rotated: readonly string[];
}

/**
 * A user whose state one client knows for certain. After an unanswered change nothing is certain: the client forgets the user, and
 * the ledger decides about the change.
 */
export interface Person {
  readonly id: string;
  email: string;
  password: string;
  /** Undefined after an unanswered change of it. */
  fullName: string | null | undefined;
  role: "user" | "admin";
  isActive: boolean;
  isVerified: boolean;
  isDeleted: boolean;
  sessions: Session[];
}

export interface Client {
  readonly name: string;
  readonly random: Random;
  readonly journal: Journal;
  readonly rootToken: string;
  /** Sends to one of the gateways. */
  ask(act: string, request: Request): Promise<Reply>;
  /** Sends to all gateways at the same time. */
  askAll(act: string, request: Request): Promise<Reply[]>;
  /** Returns a text that no other call of the run gets. */
  unique(): string;
  person: Person | undefined;
}

/** Records an answer that contradicts what the client knows. */
export function complainAbout(client: Client, act: string, { status, body }: Reply, why: string): void {
  complain(client.journal, `${client.name}: ${act} returned ${status} ${String(body["type"] ?? "")}, but ${why}`);
}

/** Records the end of sessions: from now on every gateway must reject their tokens. */
export function endSessions(client: Client, person: Person, ended: readonly Session[], act: string, at: number): void {
  person.sessions = person.sessions.filter((session) => !ended.includes(session));
  for (const { tokens, cookie } of ended) {
    for (const token of tokens) client.journal.revoked.push({ token, act, at });
    client.journal.endedCookies.push(cookie);
  }
}

/** Forgets a session whose state is uncertain. */
export function dropSession(person: Person, dropped: Session | undefined): void {
  person.sessions = person.sessions.filter((session) => session !== dropped);
}
