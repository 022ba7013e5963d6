import { DetailedHealth } from "@gatehouse/contracts";
import type { App } from "@gatehouse/http";
import type { HealthService } from "../services/health.service.ts";

export interface HealthRoutesDeps {
  readonly health: HealthService;
}

/** `GET /health/detailed`; `createApp` adds `/health` and `/health/ready`. */
export function healthRoutes({ health }: HealthRoutesDeps) {
  return async (app: App): Promise<void> => {
    app.get(
      "/health/detailed",
      {
        schema: {
          response: { 200: DetailedHealth, 503: DetailedHealth },
        },
      },
      async (_request, reply) => {
        const result = await health.detailed();
        return reply.code(result.status === "unhealthy" ? 503 : 200).send(result);
      },
    );
  };
}
