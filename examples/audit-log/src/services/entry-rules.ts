import type { GatehouseEvent } from "@gatehouse/contracts";
import { z } from "zod";
import type { Entry } from "../repositories/entry.repository.ts";

/** The fields that the trail keeps of an event's data. All others are dropped, such as names, addresses and devices. */
const Traced = z.object({
  user_id: z.string().nullable().default(null),
  session_id: z.string().nullable().default(null),
  kid: z.string().nullable().default(null),
  changed: z.array(z.string()).default([]),
  reason: z.string().optional(),
  /** Who set a new password: `self` or `admin`. */
  by: z.string().optional(),
  /** Whether a deletion is soft. */
  soft: z.boolean().optional(),
});

/** Returns the trail's entry of an event. */
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
