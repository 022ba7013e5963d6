import type { ServiceDeclaration } from "@gatehouse/contracts";

export const service: ServiceDeclaration = {
  name: "user",
  port: { variable: "USER_PORT", number: 8002 },
  database: {
    schema: "users",
    role: "gatehouse_user",
    urlVariable: "USER_DATABASE_URL",
    tables: "UserTables",
    // Trigram indexes for the search of the admin's list.
    extensions: ["pg_trgm"],
  },
  routes: [
    { method: "GET", path: "/v1/auth/me", access: "bearer" },
    { method: "POST", path: "/v1/users", access: "public", limits: ["register"] },
    { method: "GET", path: "/v1/users/me", access: "bearer" },
    { method: "PATCH", path: "/v1/users/me", access: "bearer" },
    { method: "DELETE", path: "/v1/users/me", access: "bearer", limits: ["password"] },
    { method: "GET", path: "/v1/users/:id", access: "bearer" },
    { method: "GET", path: "/v1/admin/users", access: "admin" },
    { method: "POST", path: "/v1/admin/users", access: "admin" },
    { method: "GET", path: "/v1/admin/users/:id", access: "admin" },
    { method: "PATCH", path: "/v1/admin/users/:id", access: "admin" },
    { method: "DELETE", path: "/v1/admin/users/:id", access: "admin" },
    { method: "POST", path: "/v1/admin/users/:id/restore", access: "admin" },
  ],
  publishes: "user",
  consumes: ["auth"],
  verifiesTokens: true,
  calls: ["auth"],
  secrets: ["INTERNAL_API_TOKEN", "INTROSPECTION_TOKEN"],
  isDeployed: true,
};
