import { requireRole, requireUser, type VerifyBearer } from "@gatehouse/access";
import { queryNumber, timestamp, uuid } from "@gatehouse/contracts";
import { type App, BEARER_SECURITY } from "@gatehouse/http";
import { z } from "zod";
import type { RecordedEntry } from "../repositories/entry.repository.ts";
import type { Trail } from "../services/trail.service.ts";

export interface AuditRoutesDeps {
  readonly trail: Trail;
  readonly verify: VerifyBearer;
}

const AuditEntry = z
  .object({
    id: z.string(),
    type: z.string(),
    occurred_at: timestamp(),
    recorded_at: timestamp(),
    user_id: z.string().nullable(),
    session_id: z.string().nullable(),
    key_id: z.string().nullable(),
    actor: z.string().nullable(),
    correlation_id: z.string().nullable(),
    version: z.int().nullable(),
    changed: z.array(z.string()),
    reason: z.string().nullable(),
  })
  .meta({ id: "AuditEntry" });

const AuditPage = z
  .object({ items: z.array(AuditEntry), next_cursor: z.string().nullable() })
  .meta({ id: "AuditPage" });

const AuditQuery = z.strictObject({
  user_id: uuid().optional(),
  cursor: uuid().optional(),
  limit: queryNumber(1, 100).default(100),
});

/** Lists the trail for admins, newest first. */
export function auditRoutes({ trail, verify }: AuditRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.get(
      "/v1/audit",
      {
        schema: {
          tags: ["audit"],
          summary: "List events of one user or of all users",
          security: BEARER_SECURITY,
          querystring: AuditQuery,
          response: { 200: AuditPage },
        },
        onRequest: [requireUser(verify), requireRole("admin")],
      },
      async (request) => {
        const { user_id: userId, cursor, limit } = request.query;
        const { items, nextCursor } = await trail.list({ userId, cursor, limit });
        return { items: items.map(toAnswer), next_cursor: nextCursor };
      },
    );
  };
}

function toAnswer(entry: RecordedEntry): z.output<typeof AuditEntry> {
  return {
    id: entry.id,
    type: entry.type,
    occurred_at: entry.occurredAt.toISOString(),
    recorded_at: entry.recordedAt.toISOString(),
    user_id: entry.userId,
    session_id: entry.sessionId,
    key_id: entry.keyId,
    actor: entry.actor,
    correlation_id: entry.correlationId,
    version: entry.version,
    changed: [...entry.changed],
    reason: entry.reason,
  };
}
