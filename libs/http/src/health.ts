import { Health, Readiness } from "@gatehouse/contracts";
import type { FastifyInstance } from "fastify";
import type { App } from "./app.ts";

export type CheckReadiness = () => Promise<Readiness> | Readiness;

declare module "fastify" {
  interface FastifyInstance {
    /** Makes the process unready and sends `connection: close` with every answer, for good. */
    setDraining(): void;
  }
}

/** Adds `GET /health`, which describes the process alone, and `GET /health/ready`, which answers 503 while unready or draining. */
export function addHealth(app: App, checkReadiness: CheckReadiness): void {
  const hidden = { hide: true };
  app.get("/health", { schema: { ...hidden, response: { 200: Health } } }, () => ({ status: "healthy" as const }));
  app.get(
    "/health/ready",
    { schema: { ...hidden, response: { 200: Readiness, 503: Readiness } } },
    async (_request, reply) => {
      const readiness = await checkReadiness();
      const status = readiness.status === "ready" && !draining ? "ready" : "unready";
      return reply
        .code(status === "ready" ? 200 : 503)
        .header("cache-control", "no-store")
        .send({ ...readiness, status });
    },
  );

  let draining = false;
  (app as FastifyInstance).decorate("setDraining", () => {
    draining = true;
  });
  // Closing after an answer never cuts a request that is under way on a kept-alive connection.
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (draining) reply.header("connection", "close");
    done(null, payload);
  });
}
