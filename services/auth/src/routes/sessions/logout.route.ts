import { currentUser, optionalUser, requireUser, type VerifyBearer } from "@gatehouse/access";
import { AppError } from "@gatehouse/errors";
import { type App, BEARER_SECURITY, COOKIE_SECURITY, NoContent, type RefreshCookie } from "@gatehouse/http";
import type { SessionService } from "../../services/sessions/session.service.ts";

interface LogoutRoutesDeps {
  readonly sessions: SessionService;
  readonly cookie: RefreshCookie;
  readonly verify: VerifyBearer;
}

export function logoutRoutes({ sessions, cookie, verify }: LogoutRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.post(
      "/v1/auth/logout",
      {
        schema: {
          summary: "Log this device out",
          tags: ["auth"],
          security: [...BEARER_SECURITY, ...COOKIE_SECURITY],
          response: { 204: NoContent },
        },
        onRequest: [optionalUser(verify)],
      },
      async (request, reply) => {
        const presented = cookie.read(request);
        // A valid bearer decides the session; without one the cookie must be valid.
        if (request.user) await sessions.logout(request.user.sid);
        else if (presented) await sessions.logout(await sessions.sessionOfRefreshToken(presented));
        else throw new AppError(request.headers.authorization ? "TokenError" : "AuthenticationError");
        cookie.clear(reply);
        return reply.code(204).send();
      },
    );

    app.post(
      "/v1/auth/logout-all",
      {
        schema: {
          summary: "Log every device out",
          tags: ["auth"],
          security: BEARER_SECURITY,
          response: { 204: NoContent },
        },
        onRequest: [requireUser(verify)],
      },
      async (request, reply) => {
        await sessions.logoutAll(currentUser(request));
        cookie.clear(reply);
        return reply.code(204).send();
      },
    );
  };
}
