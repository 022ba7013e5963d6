import { Health, Readiness, SUCCESSOR_HEADER } from "@gatehouse/contracts";
import type { FastifyInstance } from "fastify";
import type { App } from "./app.ts";

export type CheckReadiness = () => Promise<Readiness> | Readiness;

declare module "fastify" {
  interface FastifyInstance {
    /**
     * From now on the process asks clients to leave their connections, and is unready unless another is ready in its place. There is
     * no way back.
     */
    setDraining(how?: { readonly isReady: boolean }): void;
  }
}

/** `GET /health`, about the process alone, and `GET /health/ready`, which says 503 while unready or draining. */
export function addHealth(app: App, checkReadiness: CheckReadiness): void {
  const hidden = { hide: true };
  app.get("/health", { schema: { ...hidden, response: { 200: Health } } }, () => ({ status: "healthy" as const }));
  app.get(
    "/health/ready",
    { schema: { ...hidden, response: { 200: Readiness, 503: Readiness } } },
    async (_request, reply) => {
      const readiness = await checkReadiness();
      const status = readiness.status === "ready" && !unready ? "ready" : "unready";
      return reply
        .code(status === "ready" ? 200 : 503)
        .header("cache-control", "no-store")
        .send({ ...readiness, status });
    },
  );

  let [draining, unready] = [false, false];
  (app as FastifyInstance).decorate("setDraining", ({ isReady } = { isReady: false }) => {
    draining = true;
    unready = !isReady;
  });
  // A kept-alive connection is given up after an answer, never under a request that is on its way.
  app.addHook("onSend", (_request, reply, payload, done) => {
    if (draining) reply.header("connection", "close");
    if (draining && !unready) reply.header(SUCCESSOR_HEADER, "true");
    done(null, payload);
  });
}
