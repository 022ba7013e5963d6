import type { EventData, GatehouseEvent } from "@gatehouse/contracts";
import type { OutboxInsert } from "@gatehouse/messaging";
import { metrics } from "@opentelemetry/api";
import type { EndReason } from "../../repositories/sessions/session.repository.ts";

type RevocationReason = EndReason | "key_retired";

/** Counts the revocations in the events of a committed transaction, by reason. */
export function createRevocationMetric(): (committed: readonly OutboxInsert[]) => void {
  const revocations = metrics.getMeter("gatehouse").createCounter("gatehouse.revocations", {
    unit: "{revocation}",
    description: "Committed revocations of tokens, by reason.",
  });
  return (committed) => {
    for (const reason of reasonsOf(committed)) revocations.add(1, { reason });
  };
}

/**
 * Returns one reason for each user, session or key. One command may set a password and deactivate the account;
 * the last of its events has the reason that ended the sessions (planAccountChange).
 */
function reasonsOf(committed: readonly OutboxInsert[]): Iterable<RevocationReason> {
  const reasons = new Map<string, RevocationReason>();
  for (const { revoking, payload } of committed) {
    const event = revoking ? (JSON.parse(payload) as GatehouseEvent) : undefined;
    const reason = event && reasonOf(event);
    if (event && reason) reasons.set(event.subject, reason);
  }
  return reasons.values();
}

function reasonOf(event: GatehouseEvent): RevocationReason | undefined {
  switch (event.type) {
    case "auth.session.revoked":
    case "auth.sessions.revoked":
      return (event.data as EventData<"auth.session.revoked" | "auth.sessions.revoked">).reason;
    case "auth.password.changed":
      return "password_changed";
    case "auth.account.deleted":
      // Without an actor it is the erasure of an account whose tokens ended when it was deleted.
      return event.actor === undefined ? undefined : "deleted";
    case "auth.key.retired":
      return "key_retired";
    default:
      return undefined;
  }
}
