import type { RouteEntry } from "../routes/route-table.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The row of the route table that a forwarded route stands for; absent on the gateway's own routes and on 404s. */
    entry?: RouteEntry;
  }
}

/** Paths that monitoring calls: any Host, no limit, whoever asks. */
export function isHealthPath(url: string | undefined): boolean {
  return url !== undefined && (url === "/health" || url.startsWith("/health/"));
}
