import type { GatehouseEvent } from "@gatehouse/contracts";
import type { ChangeName, Entry } from "../load/journal.ts";

/** Which act an event is the trace of; `key` tells one such act from another. */
export interface Trace {
  readonly act: ChangeName;
  readonly key: string;
}

/** Acts that set or end something that is like no other; of the rest one user's are counted. */
const KEYED_BY_VALUE: ReadonlySet<ChangeName> = new Set<ChangeName>([
  "register",
  "rename",
  "change email",
  "log out",
  "remove a session",
  "replay",
]);

/** The trace that an act leaves if it was carried out; undefined when nothing is known by which to find it. */
export function traceOfEntry({ act, userId, value }: Entry): Trace | undefined {
  // Who was made by whom does not show in the event, and the email is enough.
  const kind = act === "admin create" ? "register" : act;
  const key = KEYED_BY_VALUE.has(kind) ? value : userId;
  return key === undefined ? undefined : { act: kind, key };
}

/** Undefined for events that only accompany another one of the same act, and for those of no client's. */
export function traceOfEvent(event: GatehouseEvent): Trace | undefined {
  const { subject, data } = event as GatehouseEvent & { data: Record<string, unknown> };
  switch (event.type) {
    case "auth.account.created":
      return { act: "register", key: String(data["email"]) };
    case "auth.account.updated":
      return traceOfUpdate(subject, data);
    case "auth.account.deleted":
      return { act: data["soft"] === true ? "delete oneself" : "admin erase", key: subject };
    case "auth.account.restored":
      return { act: "admin restore", key: subject };
    case "auth.password.changed":
      return { act: data["by"] === "self" ? "change password" : "admin password", key: subject };
    case "auth.sessions.revoked":
      return data["reason"] === "logout_all" ? { act: "log out everywhere", key: subject } : undefined;
    case "auth.session.started":
      return { act: "log in", key: subject };
    case "auth.session.revoked":
      return traceOfEnd(String(data["reason"]), String(data["session_id"]));
    case "user.profile.updated":
      return { act: "rename", key: String(data["full_name"]) };
    default:
      return undefined;
  }
}

function traceOfUpdate(subject: string, data: Record<string, unknown>): Trace | undefined {
  const changed = data["changed"] as readonly string[];
  if (changed.includes("email")) return { act: "change email", key: String(data["email"]) };
  if (changed.includes("role")) return { act: "admin role", key: subject };
  if (changed.includes("is_active"))
    return { act: data["is_active"] === true ? "admin activate" : "admin deactivate", key: subject };
  if (changed.includes("is_verified")) return { act: "admin verify", key: subject };
  return undefined;
}

function traceOfEnd(reason: string, key: string): Trace | undefined {
  if (reason === "logout") return { act: "log out", key };
  return { act: reason === "removed" ? "remove a session" : "replay", key };
}
