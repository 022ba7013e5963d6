import type { ServiceDeclaration } from "@gatehouse/contracts";

export const service: ServiceDeclaration = {
  name: "auth",
  port: { variable: "AUTH_PORT", number: 8001 },
  database: { schema: "auth", role: "gatehouse_auth", urlVariable: "AUTH_DATABASE_URL", tables: "AuthTables" },
  routes: [
    { method: "POST", path: "/v1/auth/login", access: "public", limits: ["login", "loginEmail"], cookie: true },
    { method: "POST", path: "/v1/auth/refresh", access: "public", cookie: true },
    { method: "POST", path: "/v1/auth/logout", access: "public", cookie: true },
    { method: "POST", path: "/v1/auth/logout-all", access: "bearer" },
    { method: "POST", path: "/v1/auth/change-password", access: "bearer", limits: ["password"] },
    { method: "GET", path: "/v1/auth/sessions", access: "bearer" },
    { method: "DELETE", path: "/v1/auth/sessions/:id", access: "bearer" },
    { method: "GET", path: "/.well-known/jwks.json", access: "public", unlimited: true },
  ],
  internalRoutes: [
    { method: "POST", path: "/internal/accounts", tokenVariable: "INTERNAL_API_TOKEN" },
    { method: "PATCH", path: "/internal/accounts/:id", tokenVariable: "INTERNAL_API_TOKEN" },
    { method: "POST", path: "/internal/accounts/:id/delete", tokenVariable: "INTERNAL_API_TOKEN" },
    { method: "POST", path: "/internal/accounts/:id/restore", tokenVariable: "INTERNAL_API_TOKEN" },
    { method: "POST", path: "/internal/introspect", tokenVariable: "INTROSPECTION_TOKEN" },
  ],
  publishes: "auth",
  consumes: ["user"],
  secrets: ["JWT_SECRET_KEY", "INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN"],
  privateVariables: ["FIRST_ADMIN_EMAIL", "FIRST_ADMIN_PASSWORD"],
  isDeployed: true,
};
