export type { App } from "./app.ts";
export { type AppOptions, createApp } from "./create-app.ts";
export type { TranslateError } from "./errors/error-handler.ts";
export type { CheckReadiness } from "./health.ts";
export { NoContent } from "./no-content.ts";
export { createRefreshCookie, type RefreshCookie } from "./refresh-cookie.ts";
export { BEARER_SECURITY, COOKIE_SECURITY, type OpenApiOptions } from "./openapi/openapi.ts";
