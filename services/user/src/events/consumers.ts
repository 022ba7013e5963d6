import { STREAMS } from "@gatehouse/contracts";
import { type Bus, type Consumer, startConsumer } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import type { UserRecordService } from "../services/user-record.service.ts";
import { handleAccountCreated } from "./account-created.handler.ts";
import { handleAccountDeleted } from "./account-deleted.handler.ts";
import { handleAccountUpdated } from "./account-updated.handler.ts";

export interface ConsumersDeps {
  readonly bus: Bus;
  readonly records: UserRecordService;
  readonly replicas: number;
  readonly logger: Logger;
}

/** Starts all subscriptions of this service. The rules ignore repeated and older facts, so handlers need no other guard. */
export function startConsumers({ bus, records, replicas, logger }: ConsumersDeps): Consumer {
  return startConsumer({
    bus,
    stream: STREAMS.auth,
    durable: "user",
    filter: "auth.account.>",
    handlers: {
      "auth.account.created": handleAccountCreated(records),
      "auth.account.updated": handleAccountUpdated(records),
      "auth.account.restored": handleAccountUpdated(records),
      "auth.account.deleted": handleAccountDeleted(records),
    },
    logger,
    replicas,
  });
}
