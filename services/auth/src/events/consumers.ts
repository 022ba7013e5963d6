import { STREAMS } from "@gatehouse/contracts";
import { type Bus, type Consumer, startConsumer } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import type { AuthHandle } from "../db/database.ts";
import { onProfileUpdated } from "./profile-updated.handler.ts";

/** Every subscription of the auth service. */
export function startConsumers(deps: { bus: Bus; db: AuthHandle; logger: Logger; replicas: number }): Consumer[] {
  const { bus, db, logger, replicas } = deps;
  return [
    startConsumer({
      bus,
      stream: STREAMS.user,
      durable: "auth",
      filter: "user.profile.updated",
      handlers: { "user.profile.updated": onProfileUpdated(db) },
      replicas,
      logger,
    }),
  ];
}
