import type { PublicRoute } from "@gatehouse/contracts";
import { DECLARED_ROUTES, type UPSTREAM_SERVICES } from "./route-table.generated.ts";

/** A service behind the gateway. */
export type Service = (typeof UPSTREAM_SERVICES)[number];

export interface RouteEntry extends PublicRoute {
  readonly service: Service;
}

/** Everything that the gateway forwards (docs/reference/http.md), from the services' `service.ts`. Other paths are 404. */
export const ROUTE_TABLE: readonly RouteEntry[] = DECLARED_ROUTES;
