import { currentUser, requireUser, type VerifyBearer } from "@gatehouse/access";
import { SessionIdParams, SessionList } from "@gatehouse/contracts";
import { type App, BEARER_SECURITY, NoContent } from "@gatehouse/http";
import type { Session } from "../../repositories/sessions/session.repository.ts";
import type { SessionService } from "../../services/sessions/session.service.ts";

interface SessionRoutesDeps {
  readonly sessions: SessionService;
  readonly verify: VerifyBearer;
}

export function sessionRoutes({ sessions, verify }: SessionRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.addHook("onRequest", requireUser(verify));

    app.get(
      "/v1/auth/sessions",
      {
        schema: {
          summary: "The live sessions of the caller",
          tags: ["auth"],
          security: BEARER_SECURITY,
          response: { 200: SessionList },
        },
      },
      async (request) => {
        const { sub, sid } = currentUser(request);
        const live = await sessions.listLive(sub);
        return { items: live.map((session) => toView(session, sid)) };
      },
    );

    app.delete(
      "/v1/auth/sessions/:id",
      {
        schema: {
          summary: "End one live session of the caller",
          tags: ["auth"],
          security: BEARER_SECURITY,
          params: SessionIdParams,
          response: { 204: NoContent },
        },
      },
      async (request, reply) => {
        await sessions.remove(currentUser(request), request.params.id);
        return reply.code(204).send();
      },
    );
  };
}

function toView(session: Session, currentId: string) {
  return {
    id: session.id,
    device_id: session.deviceId,
    device_name: session.deviceName,
    ip_address: session.ipAddress,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    current: session.id === currentId,
  };
}
