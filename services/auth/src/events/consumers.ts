import { STREAMS } from "@gatehouse/contracts";
import { isTransientDatabaseError } from "@gatehouse/database";
import { type Bus, type Consumer, startConsumer } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import type { AuthHandle } from "../db/database.ts";
import { onProfileUpdated } from "./profile-updated.handler.ts";

/** Every subscription of the auth service. */
export function startConsumers(deps: { bus: Bus; db: AuthHandle; logger: Logger }): Consumer[] {
  const { bus, db, logger } = deps;
  return [
    startConsumer({
      bus,
      stream: STREAMS.user,
      durable: "auth-profiles",
      filter: "user.profile.updated",
      handlers: { "user.profile.updated": onProfileUpdated(db) },
      isTransient: isTransientDatabaseError,
      logger,
    }),
  ];
}
