import { translateDatabaseError } from "@gatehouse/database";
import { type App, createApp, createRefreshCookie } from "@gatehouse/http";
import type { Dependencies } from "./dependencies.ts";
import { internalAccountRoutes } from "./routes/accounts/accounts.internal.route.ts";
import { introspectRoutes } from "./routes/sessions/introspect.internal.route.ts";
import { jwksRoutes } from "./routes/keys/jwks.route.ts";
import { loginRoutes } from "./routes/sessions/login.route.ts";
import { logoutRoutes } from "./routes/sessions/logout.route.ts";
import { passwordRoutes } from "./routes/passwords/password.route.ts";
import { refreshRoutes } from "./routes/sessions/refresh.route.ts";
import { sessionRoutes } from "./routes/sessions/sessions.route.ts";

/** Returns the auth service's HTTP application, which does not listen. */
export async function buildApp({ config, logger, services, readiness }: Dependencies): Promise<App> {
  const app = createApp({
    logger,
    readiness,
    trustProxy: config.trustedProxies,
    translateError: translateDatabaseError,
    openapi: { title: "Gatehouse auth", description: "Tokens, sessions and keys", version: "1" },
  });

  const cookie = createRefreshCookie({ secure: config.secureCookies });
  const verify = services.accessTokens.authenticate;
  await app.register(jwksRoutes(services));
  await app.register(loginRoutes({ logins: services.logins, cookie }));
  await app.register(refreshRoutes({ refreshes: services.refreshes, cookie }));
  await app.register(logoutRoutes({ sessions: services.sessions, cookie, verify }));
  await app.register(passwordRoutes({ passwords: services.passwords, cookie, verify }));
  await app.register(sessionRoutes({ sessions: services.sessions, verify }));
  await app.register(internalAccountRoutes({ ...services, tokens: config.internalTokens }));
  await app.register(introspectRoutes({ ...services, tokens: config.introspectionTokens }));
  return app;
}
