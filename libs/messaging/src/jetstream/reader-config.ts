import { newId } from "@gatehouse/contracts";
import { AckPolicy, type ConsumerConfig, DeliverPolicy, ReplayPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";

/**
 * How long the server keeps the consumer of a reading that is over. It is left to the server, because a reader that may delete its own
 * consumer may delete any consumer of the stream: permissions know names, and not who made what.
 */
const ABANDONED_MS = 30_000;

/** A consumer that reads and acknowledges nothing, from `since` or the first message on. */
export function readerConfig(options: {
  filter?: string | undefined;
  since?: Date | undefined;
}): Partial<ConsumerConfig> {
  const { filter, since } = options;
  return {
    // Named by us: the server checks a name against the permissions only where it is in the subject of the request.
    name: `reader-${newId()}`,
    ack_policy: AckPolicy.None,
    replay_policy: ReplayPolicy.Instant,
    inactive_threshold: nanos(ABANDONED_MS),
    mem_storage: true,
    num_replicas: 1,
    ...(since === undefined
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: since.toISOString() }),
    ...(filter !== undefined && { filter_subject: filter }),
  };
}
