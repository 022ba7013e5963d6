import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  JetStreamApiError,
  type JetStreamManager,
  ReplayPolicy,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";

/**
 * How long the server waits for an acknowledgement before it delivers a message again, to any replica. The consumer extends it for
 * messages that wait or are being handled.
 */
export const ACK_WAIT_MS = 10_000;
const MAX_ACK_PENDING = 1_000;

/** JetStream error: the name belongs to a consumer with another configuration (10148 since 2.10, 10013 before). */
const NAME_IN_USE = new Set([10148, 10013]);

/** Creates the durable consumer, or updates the existing one; its position in the stream stays. */
export async function ensureDurable(
  manager: JetStreamManager,
  options: { stream: string; durable: string; filter: string },
): Promise<void> {
  const { stream, durable } = options;
  const config: Partial<ConsumerConfig> = {
    durable_name: durable,
    filter_subject: options.filter,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    // The consumer counts failures itself, because infrastructure errors must not count.
    max_deliver: -1,
    max_ack_pending: MAX_ACK_PENDING,
  };
  try {
    await manager.consumers.add(stream, config);
  } catch (error) {
    if (!(error instanceof JetStreamApiError && NAME_IN_USE.has(error.code))) throw error;
    await manager.consumers.update(stream, durable, config);
  }
}
