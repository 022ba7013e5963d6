import { STREAMS } from "@gatehouse/contracts";
import { type Bus, type Consumer, startConsumer } from "@gatehouse/messaging";
import type { Logger } from "@gatehouse/observability";
import type { UserLedger } from "../services/user-record.service.ts";
import { handleAccountCreated } from "./account-created.handler.ts";
import { handleAccountDeleted } from "./account-deleted.handler.ts";
import { handleAccountUpdated } from "./account-updated.handler.ts";

export interface ConsumersOptions {
  readonly bus: Bus;
  readonly ledger: UserLedger;
  readonly replicas: number;
  readonly logger: Logger;
}

/** Everything this service subscribes to. The handlers need no inbox: what a user's record learnt already it does not learn again. */
export function startConsumers({ bus, ledger, replicas, logger }: ConsumersOptions): Consumer {
  return startConsumer({
    bus,
    stream: STREAMS.auth,
    durable: "user",
    filter: "auth.account.>",
    handlers: {
      "auth.account.created": handleAccountCreated(ledger),
      "auth.account.updated": handleAccountUpdated(ledger),
      "auth.account.restored": handleAccountUpdated(ledger),
      "auth.account.deleted": handleAccountDeleted(ledger),
    },
    logger,
    replicas,
  });
}
