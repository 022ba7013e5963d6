import { translateDatabaseError } from "@gatehouse/database";
import { type App, type AppOptions, createApp } from "@gatehouse/http";
import { type AdminRoutesDeps, adminRoutes } from "./routes/admin.route.ts";
import { type ProfileRoutesDeps, profileRoutes } from "./routes/profile.route.ts";

export type UserAppDeps = Pick<AppOptions, "logger" | "readiness"> & AdminRoutesDeps & ProfileRoutesDeps;

/** The user service's HTTP side. It does not listen. */
export async function buildApp(deps: UserAppDeps): Promise<App> {
  const { logger, readiness } = deps;
  const app = createApp({
    logger,
    readiness,
    translateError: translateDatabaseError,
    openapi: {
      title: "Gatehouse user service",
      description: "Registration, profiles and the administration of users.",
      version: "1.0.0",
    },
  });
  await app.register(profileRoutes(deps));
  await app.register(adminRoutes(deps));
  return app;
}
