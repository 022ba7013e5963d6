import { newId } from "@gatehouse/contracts";
import { AckPolicy, type ConsumerConfig, DeliverPolicy, ReplayPolicy } from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";

/**
 * How long the server keeps the consumer of a reader that ended. The reader does not delete it: permissions go by name, so a
 * reader that may delete its own consumer may delete every consumer of the stream.
 */
const ABANDONED_MS = 30_000;

/** Returns the configuration of a consumer that acknowledges nothing and reads from `since` or the first message on. */
export function readerConfig(options: {
  filter?: string | undefined;
  since?: Date | undefined;
}): Partial<ConsumerConfig> {
  const { filter, since } = options;
  return {
    // Named here: the server checks permissions by name only when the name is in the request's subject.
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
