import { translateDatabaseError } from "@gatehouse/database";
import { type App, type AppOptions, createApp } from "@gatehouse/http";
import { auditRoutes, type AuditRoutesDeps } from "./routes/audit.route.ts";

export interface AppDeps extends Pick<AppOptions, "logger" | "readiness">, AuditRoutesDeps {}

/** Returns the HTTP application, not listening. */
export async function buildApp({ logger, readiness, ...deps }: AppDeps): Promise<App> {
  const app = createApp({
    logger,
    readiness,
    translateError: translateDatabaseError,
    openapi: {
      title: "Gatehouse audit log",
      description: "Which user or admin changed which account, and when.",
      version: "1.0.0",
    },
  });
  await app.register(auditRoutes(deps));
  return app;
}
