import { type App, type AppOptions, createApp } from "@gatehouse/http";
import { translateDatabaseError } from "@gatehouse/database";
import { type AdminRouteOptions, adminRoutes } from "./routes/admin.route.ts";
import { type ProfileRouteOptions, profileRoutes } from "./routes/profile.route.ts";

export type UserAppOptions = Pick<AppOptions, "logger" | "readiness"> & AdminRouteOptions & ProfileRouteOptions;

/** The service's HTTP side, not listening. */
export function buildApp(options: UserAppOptions): App {
  const { logger, readiness } = options;
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
  profileRoutes(app, options);
  adminRoutes(app, options);
  return app;
}
