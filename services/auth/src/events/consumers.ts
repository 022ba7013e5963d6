import { STREAMS } from "@gatehouse/contracts";
import { type Bus, type Consumer, startConsumer } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import type { AuthHandle } from "../db/database.ts";
import { onProfileUpdated } from "./profile-updated.handler.ts";

interface ConsumersDeps {
  readonly bus: Bus;
  readonly db: AuthHandle;
  readonly logger: Logger;
  readonly replicas: number;
}

/** Starts every subscription of the auth service. */
export function startConsumers({ bus, db, logger, replicas }: ConsumersDeps): Consumer[] {
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
