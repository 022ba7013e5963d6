import { z } from "zod";

export const Health = z.object({ status: z.literal("healthy") }).meta({ id: "Health" });

export const ComponentStatus = z.enum(["healthy", "degraded", "unhealthy"]);
export type ComponentStatus = z.output<typeof ComponentStatus>;

export const DetailedHealth = z
  .object({
    status: ComponentStatus,
    database: ComponentStatus,
    redis: ComponentStatus,
    nats: ComponentStatus,
    auth: ComponentStatus,
    user: ComponentStatus,
  })
  // Every other service behind the gateway, by name.
  .catchall(ComponentStatus)
  .meta({ id: "DetailedHealth" });
export type DetailedHealth = z.output<typeof DetailedHealth>;

/** The response of `GET /health/ready` of every process, with the state of its dependencies. */
export const Readiness = z
  .object({
    status: z.enum(["ready", "unready"]),
    checks: z.record(z.string(), ComponentStatus),
  })
  .meta({ id: "Readiness" });
export type Readiness = z.output<typeof Readiness>;
