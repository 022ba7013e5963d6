import type { ExtraLimit } from "../services/limits/rate-limits.ts";

export type Service = "auth" | "user";

/**
 * Who may call: `public` needs no token and ignores one that does not verify (refresh and logout too: what they need
 * besides, auth decides), `bearer` needs one that verifies, `admin` needs one with that role.
 */
export type Access = "public" | "bearer" | "admin";

export interface RouteEntry {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly service: Service;
  readonly access: Access;
  /** Limits besides RATE_LIMIT_DEFAULT. */
  readonly limits?: readonly ExtraLimit[];
  /** Neither limited nor counted. */
  readonly unlimited?: true;
  /** Acts on the refresh cookie: a foreign `Origin` is refused (contract, section 2). */
  readonly cookie?: true;
}

/**
 * Everything that passes the gateway (contract, section 2); what is not listed here does not exist outside.
 * GET answers HEAD too.
 */
export const ROUTE_TABLE: readonly RouteEntry[] = [
  {
    method: "POST",
    path: "/v1/auth/login",
    service: "auth",
    access: "public",
    limits: ["login", "loginEmail"],
    cookie: true,
  },
  { method: "POST", path: "/v1/auth/refresh", service: "auth", access: "public", cookie: true },
  { method: "POST", path: "/v1/auth/logout", service: "auth", access: "public", cookie: true },
  { method: "POST", path: "/v1/auth/logout-all", service: "auth", access: "bearer" },
  { method: "GET", path: "/v1/auth/me", service: "user", access: "bearer" },
  { method: "POST", path: "/v1/auth/change-password", service: "auth", access: "bearer", limits: ["password"] },
  { method: "GET", path: "/v1/auth/sessions", service: "auth", access: "bearer" },
  { method: "DELETE", path: "/v1/auth/sessions/:id", service: "auth", access: "bearer" },

  { method: "POST", path: "/v1/users", service: "user", access: "public", limits: ["register"] },
  { method: "GET", path: "/v1/users/me", service: "user", access: "bearer" },
  { method: "PATCH", path: "/v1/users/me", service: "user", access: "bearer" },
  { method: "DELETE", path: "/v1/users/me", service: "user", access: "bearer", limits: ["password"] },
  { method: "GET", path: "/v1/users/:id", service: "user", access: "bearer" },

  { method: "GET", path: "/v1/admin/users", service: "user", access: "admin" },
  { method: "POST", path: "/v1/admin/users", service: "user", access: "admin" },
  { method: "GET", path: "/v1/admin/users/:id", service: "user", access: "admin" },
  { method: "PATCH", path: "/v1/admin/users/:id", service: "user", access: "admin" },
  { method: "DELETE", path: "/v1/admin/users/:id", service: "user", access: "admin" },
  { method: "POST", path: "/v1/admin/users/:id/restore", service: "user", access: "admin" },

  { method: "GET", path: "/.well-known/jwks.json", service: "auth", access: "public", unlimited: true },
];
