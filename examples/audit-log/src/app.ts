import { translateDatabaseError } from "@gatehouse/database";
import { type App, type AppOptions, createApp } from "@gatehouse/http";
import { type AuditRouteOptions, auditRoutes } from "./routes/audit.route.ts";

/** The service's HTTP side, not listening. */
export function buildApp(options: Pick<AppOptions, "logger" | "readiness"> & AuditRouteOptions): App {
  const { logger, readiness } = options;
  const app = createApp({
    logger,
    readiness,
    translateError: translateDatabaseError,
    openapi: {
      title: "Gatehouse audit log",
      description: "Who did what to whose account, and when.",
      version: "1.0.0",
    },
  });
  auditRoutes(app, options);
  return app;
}
