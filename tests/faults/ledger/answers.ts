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

/** Undefined for events that accompany another event of the same act. */
function nameOfEvent({ type, subject, data: anyData }: GatehouseEvent): string | undefined {
  const data = anyData as Record<string, string>;
  switch (type) {
    case "auth.account.created":
      return `register of ${data["email"]}`;
    case "auth.account.updated": {
      const { changed } = anyData as { changed: readonly string[] };
      if (changed.includes("email")) return `change email of ${data["email"]}`;
      if (changed.includes("role")) return `admin role of ${subject}`;
      if (changed.includes("is_active")) return `admin ${data["is_active"] ? "activate" : "deactivate"} of ${subject}`;
      return changed.includes("is_verified") ? `admin verify of ${subject}` : undefined;
    }
    case "auth.account.deleted":
      return `${data["soft"] ? "delete oneself" : "admin erase"} of ${subject}`;
    case "auth.account.restored":
      return `admin restore of ${subject}`;
    case "auth.password.changed":
      return `${data["by"] === "self" ? "change password" : "admin password"} of ${subject}`;
    case "auth.sessions.revoked":
      return data["reason"] === "logout_all" ? `log out everywhere of ${subject}` : undefined;
    case "auth.session.started":
      return `log in of ${subject}`;
    case "auth.session.revoked": {
      const acts: Record<string, string> = { logout: "log out", removed: "remove a session" };
      return `${acts[String(data["reason"])] ?? "replay"} of ${data["session_id"]}`;
    }
    case "user.profile.updated":
      return `rename of ${data["full_name"]}`;
    default:
      return undefined;
  }
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
    const done = outcomes.filter((outcome) => outcome === "done").length;
    const open = outcomes.filter((outcome) => outcome === "unanswered").length;
    const events = written.get(name)?.length ?? 0;
    return events >= done && events <= done + open
      ? []
      : [`${name}: ${done} acknowledged, ${open} unanswered, ${events} written`];
  });
}
