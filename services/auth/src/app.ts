import { translateDatabaseError } from "@gatehouse/database";
import { type App, createApp, createRefreshCookie } from "@gatehouse/http";
import type { Dependencies } from "./dependencies.ts";
import { internalAccountsRoute } from "./routes/accounts/accounts.internal.route.ts";
import { introspectRoute } from "./routes/sessions/introspect.internal.route.ts";
import { jwksRoute } from "./routes/keys/jwks.route.ts";
import { loginRoute } from "./routes/sessions/login.route.ts";
import { logoutRoute } from "./routes/sessions/logout.route.ts";
import { passwordRoute } from "./routes/passwords/password.route.ts";
import { refreshRoute } from "./routes/sessions/refresh.route.ts";
import { sessionsRoute } from "./routes/sessions/sessions.route.ts";

/** Returns the auth service's HTTP application, which does not listen. */
export async function buildApp(deps: Dependencies): Promise<App> {
  const { config, logger, services, readiness } = deps;
  const app = createApp({
    logger,
    readiness,
    trustProxy: config.trustedProxies,
    translateError: translateDatabaseError,
    openapi: { title: "Gatehouse auth", description: "Tokens, sessions and keys", version: "1" },
  });

  const cookie = createRefreshCookie({ secure: config.secureCookies });
  const verify = services.accessTokens.authenticate;
  await app.register(jwksRoute(services));
  await app.register(loginRoute({ logins: services.logins, cookie }));
  await app.register(refreshRoute({ refreshes: services.refreshes, cookie }));
  await app.register(logoutRoute({ sessions: services.sessions, cookie, verify }));
  await app.register(passwordRoute({ passwords: services.passwords, cookie, verify }));
  await app.register(sessionsRoute({ sessions: services.sessions, verify }));
  await app.register(internalAccountsRoute({ ...services, tokens: config.internalTokens }));
  await app.register(introspectRoute({ ...services, tokens: config.introspectionTokens }));
  return app;
}
