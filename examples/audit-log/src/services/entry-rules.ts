import type { GatehouseEvent } from "@gatehouse/contracts";
import { z } from "zod";
import type { Entry } from "../repositories/entry.repository.ts";

/** All that the trail takes of an event's data. What is not named here, names, addresses and devices above all, stays out. */
const Traced = z.object({
  user_id: z.string().nullable().default(null),
  session_id: z.string().nullable().default(null),
  kid: z.string().nullable().default(null),
  changed: z.array(z.string()).default([]),
  reason: z.string().optional(),
  /** Of a new password: `self` or `admin`. */
  by: z.string().optional(),
  /** Of a deletion. */
  soft: z.boolean().optional(),
});

/** What an event leaves in the trail. */
export function entryOf(event: GatehouseEvent): Entry {
  const { user_id, session_id, kid, changed, reason, by, soft } = Traced.parse(event.data);
  const deletion = soft === undefined ? null : soft ? "soft" : "hard";
  return {
    id: event.id,
    type: event.type,
    occurredAt: new Date(event.time),
    userId: user_id,
    sessionId: session_id,
    keyId: kid,
    actor: event.actor ?? null,
    correlationId: event.correlationid ?? null,
    version: event.version ?? null,
    changed,
    reason: reason ?? by ?? deletion,
  };
}
