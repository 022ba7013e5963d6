import { RefreshResponse } from "@gatehouse/contracts";
import { AppError } from "@gatehouse/errors";
import { type App, COOKIE_SECURITY, type RefreshCookie } from "@gatehouse/http";
import type { RefreshService } from "../../services/sessions/refresh.service.ts";

interface RefreshRoutesDeps {
  readonly refreshes: RefreshService;
  readonly cookie: RefreshCookie;
}

export function refreshRoutes({ refreshes, cookie }: RefreshRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.post(
      "/v1/auth/refresh",
      {
        schema: {
          summary: "Rotate the refresh token and get a new access token",
          tags: ["auth"],
          security: COOKIE_SECURITY,
          response: { 200: RefreshResponse },
        },
      },
      async (request, reply) => {
        const presented = cookie.read(request);
        if (!presented) throw new AppError("AuthenticationError");
        const outcome = await refreshes.refresh(presented);
        if ("error" in outcome) {
          if (outcome.endedSession) cookie.clear(reply);
          throw outcome.error;
        }
        cookie.set(reply, outcome.refreshToken, outcome.refreshExpiresIn);
        return {
          access_token: outcome.accessToken,
          token_type: "bearer" as const,
          expires_in: outcome.expiresIn,
        };
      },
    );
  };
}
