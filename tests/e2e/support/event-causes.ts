import type { EventSubject } from "@gatehouse/contracts";
import { call, login, NEW_PASSWORD, PASSWORD, type Person, register } from "@gatehouse/test-kit/api";

/** One user's history. The acts below run in their order and keep the user's last login and all tokens here. */
export interface History {
  readonly base: string;
  readonly admin: Person;
  readonly tokens: string[];
  user: Person;
}

type Act = (history: History) => Promise<unknown>;

/** An act of this file, the event whose act also causes this one, a job, or the test that causes the event instead. */
type Cause = Act | `with ${EventSubject}` | "every second" | `in services/${string}.test.ts`;

/**
 * What causes each event. The compiler demands an entry for every event in libs/contracts/src/events, and events.test.ts
 * fails when the act does not publish the event.
 */
const EVENT_CAUSES: { readonly [S in EventSubject]: Cause } = {
  "auth.account.created": async (history) => {
    remember(history, await register(history.base, { full_name: "Ada" }));
  },
  "user.registered": "with auth.account.created",
  "auth.session.started": "with auth.account.created",
  "user.profile.updated": (history) => act(history, "PATCH", "/v1/users/me", { full_name: "Ada L." }),
  "auth.session.revoked": (history) => act(history, "POST", "/v1/auth/logout"),
  "auth.sessions.revoked": async (history) => {
    remember(history, await login(history.base, history.user.email));
    await act(history, "POST", "/v1/auth/logout-all");
  },
  "auth.password.changed": async (history) => {
    remember(history, await login(history.base, history.user.email));
    const passwords = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    await act(history, "POST", "/v1/auth/change-password", passwords);
  },
  "auth.account.updated": (history) => actAsAdmin(history, "PATCH", "", { is_verified: true }),
  "auth.account.deleted": async (history) => {
    remember(history, await login(history.base, history.user.email, NEW_PASSWORD));
    await act(history, "DELETE", "/v1/users/me", { password: NEW_PASSWORD });
  },
  "user.deleted": "with auth.account.deleted",
  "auth.account.restored": (history) => actAsAdmin(history, "POST", "/restore"),
  "user.restored": "with auth.account.restored",
  "auth.watermark": "every second",
  // A key is retired only after its last token has expired.
  "auth.key.retired": "in services/auth/test/integration/keys.test.ts",
};

/** Runs every act, erases the user, and returns the user's history. */
export async function causeEvents(base: string, admin: Person): Promise<History> {
  const history: History = { base, admin, tokens: [], user: admin };
  for (const cause of Object.values<Cause>(EVENT_CAUSES)) if (typeof cause === "function") await cause(history);
  await actAsAdmin(history, "DELETE", "");
  return history;
}

/** Returns the events that `causeEvents` and the running services do not publish although the table says so. */
export function missingEvents(published: ReadonlySet<string>): string[] {
  return Object.entries<Cause>(EVENT_CAUSES)
    .filter(([subject, cause]) => !published.has(subject) && !String(cause).startsWith("in "))
    .map(([subject]) => subject);
}

function remember(history: History, user: Person): void {
  history.user = user;
  history.tokens.push(user.token, user.cookie);
}

function act({ base, user }: History, method: string, path: string, json?: object): Promise<unknown> {
  return call(base, method, path, { token: user.token, json });
}

function actAsAdmin({ base, admin, user }: History, method: string, rest: string, json?: object): Promise<unknown> {
  return call(base, method, `/v1/admin/users/${user.id}${rest}`, { token: admin.token, json });
}
