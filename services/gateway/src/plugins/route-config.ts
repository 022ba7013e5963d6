import type { RouteEntry } from "../routes/route-table.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The row of the route table; absent on the gateway's own routes and on 404s. */
    entry?: RouteEntry;
  }
}

/** Returns whether monitoring calls this path: any Host, no limits, no token. */
export function isHealthPath(url: string | undefined): boolean {
  return url !== undefined && (url === "/health" || url.startsWith("/health/"));
}
