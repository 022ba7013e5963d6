import { createInbox, type NatsConnection } from "@nats-io/nats-core";
import type { NatsConnectionImpl } from "@nats-io/nats-core/internal";

/** A new subject for answers under the connection's own prefix, which its public type does not show. */
export function createOwnInbox(connection: NatsConnection): string {
  return createInbox((connection as NatsConnectionImpl).options.inboxPrefix);
}
