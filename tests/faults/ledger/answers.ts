import type { GatehouseEvent } from "@gatehouse/contracts";
import type { Entry } from "../load/client.ts";
import type { Evidence } from "./evidence.ts";

/** Acts that set or end a unique value. The other acts are counted by user. */
const HAS_UNIQUE_VALUE = new Set(["register", "rename", "change email", "log out", "remove a session", "replay"]);

/** Returns `<act> of <value or user>`, by which an act and its event find each other; undefined when neither is known. */
function nameOfEntry({ act, userId, value }: Entry): string | undefined {
  // The event does not show who created an account, and its email is unique.
  const kind = act === "admin create" ? "register" : act;
  const key = HAS_UNIQUE_VALUE.has(kind) ? value : userId;
  return key === undefined ? undefined : `${kind} of ${key}`;
}

type Data = Readonly<Record<string, unknown>>;

/** The act of each event and its key; the subject is the key where a table says none. */
const ACT_OF: Readonly<
  Record<string, (data: Data, changed: readonly unknown[]) => readonly [act?: string, key?: unknown]>
> = {
  "auth.account.created": ({ email }) => ["register", email],
  "auth.account.updated"({ email, is_active }, changed) {
    if (changed.includes("email")) return ["change email", email];
    if (changed.includes("role")) return ["admin role"];
    if (changed.includes("is_active")) return [`admin ${is_active ? "activate" : "deactivate"}`];
    return changed.includes("is_verified") ? ["admin verify"] : [];
  },
  "auth.account.deleted": ({ soft }) => [soft ? "delete oneself" : "admin erase"],
  "auth.account.restored": () => ["admin restore"],
  "auth.password.changed": ({ by }) => [by === "self" ? "change password" : "admin password"],
  "auth.sessions.revoked": ({ reason }) => (reason === "logout_all" ? ["log out everywhere"] : []),
  "auth.session.started": () => ["log in"],
  "auth.session.revoked": ({ reason, session_id }) => [
    reason === "logout" ? "log out" : reason === "removed" ? "remove a session" : "replay",
    session_id,
  ],
  "user.profile.updated": ({ full_name }) => ["rename", full_name],
};

/** Undefined for events that accompany another event of the same act. */
function nameOfEvent({ type, subject, data }: GatehouseEvent): string | undefined {
  const { changed } = data as { changed?: readonly unknown[] };
  const [act, key = subject] = ACT_OF[type]?.(data, changed ?? []) ?? [];
  return act && `${act} of ${String(key)}`;
}

/**
 * Compares the clients' answers with the events. Each act has at least as many events as acknowledged calls, and at most those
 * plus the unanswered ones. Refused calls have none.
 * @param rootId the first admin, whose account and sessions no client requested
 */
export function checkAnswers({ journal, auth, user }: Evidence, rootId: string): string[] {
  const requests = Map.groupBy(journal, nameOfEntry);
  const own = [...auth.outbox, ...user.outbox].filter(({ event }) => event.subject !== rootId);
  const written = Map.groupBy(own, ({ event }) => nameOfEvent(event));
  return [...new Set([...requests.keys(), ...written.keys()])].flatMap((name) => {
    if (name === undefined) return [];
    const outcomes = (requests.get(name) ?? []).map(({ outcome }) => outcome);
    const [done = 0, open = 0] = ["done", "unanswered"].map((one) => outcomes.filter((other) => other === one).length);
    const events = written.get(name)?.length ?? 0;
    return events >= done && events <= done + open
      ? []
      : [`${name}: ${done} acknowledged, ${open} unanswered, ${events} written`];
  });
}
