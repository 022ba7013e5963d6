import { currentUser, requireUser, type VerifyBearer } from "@gatehouse/access";
import { ChangePasswordBody } from "@gatehouse/contracts";
import { type App, BEARER_SECURITY, NoContent, type RefreshCookie } from "@gatehouse/http";
import type { PasswordChangeService } from "../../services/passwords/password-change.service.ts";

interface PasswordRoutesDeps {
  readonly passwords: PasswordChangeService;
  readonly cookie: RefreshCookie;
  readonly verify: VerifyBearer;
}

export function passwordRoutes({ passwords, cookie, verify }: PasswordRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.post(
      "/v1/auth/change-password",
      {
        schema: {
          summary: "Change the password and log every device out",
          tags: ["auth"],
          security: BEARER_SECURITY,
          body: ChangePasswordBody,
          response: { 204: NoContent },
        },
        onRequest: [requireUser(verify)],
      },
      async (request, reply) => {
        const { current_password, new_password } = request.body;
        await passwords.changePassword(currentUser(request), current_password, new_password);
        cookie.clear(reply);
        return reply.code(204).send();
      },
    );
  };
}
