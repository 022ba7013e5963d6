import formBody from "@fastify/formbody";
import { clientAddress } from "@gatehouse/access";
import { LoginForm, LoginResponse } from "@gatehouse/contracts";
import type { App, RefreshCookie } from "@gatehouse/http";
import type { LoginService } from "../../services/sessions/login.service.ts";
import { toUser } from "../accounts/account-view.ts";

interface LoginRoutesDeps {
  readonly logins: LoginService;
  readonly cookie: RefreshCookie;
}

export function loginRoutes({ logins, cookie }: LoginRoutesDeps) {
  return async (app: App): Promise<void> => {
    // Only this route accepts forms (the OAuth2 password form); the other routes accept JSON.
    app.removeAllContentTypeParsers();
    await app.register(formBody);

    app.post(
      "/v1/auth/login",
      {
        schema: {
          summary: "Log in with email and password",
          tags: ["auth"],
          consumes: ["application/x-www-form-urlencoded"],
          body: LoginForm,
          response: { 200: LoginResponse },
        },
      },
      async (request, reply) => {
        const { username, password, device_id, device_name } = request.body;
        const login = await logins.login({
          email: username,
          password,
          deviceId: device_id ?? null,
          deviceName: device_name ?? null,
          ipAddress: clientAddress(request),
        });
        cookie.set(reply, login.refreshToken, login.refreshExpiresIn);
        return {
          access_token: login.accessToken,
          token_type: "bearer" as const,
          expires_in: login.expiresIn,
          user: toUser(login.account),
        };
      },
    );
  };
}
