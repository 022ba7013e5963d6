import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";

/** A message as the stream holds it. */
export interface StoredMessage {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly messageId: string;
  readonly data: Uint8Array;
  /** The headers of a dead letter that say where it comes from. */
  readonly headers: { get(name: string): string } | undefined;
}

const AT_ONCE = 500;

/** Reads all that a stream holds, without watermarks' or anybody's help. */
export async function readMessages(connection: NatsConnection, stream: string): Promise<StoredMessage[]> {
  const manager = await jetstreamManager(connection);
  const { name } = await manager.consumers.add(stream, { ack_policy: AckPolicy.None, mem_storage: true });
  const consumer = await jetstream(connection).consumers.get(stream, name);
  const messages: StoredMessage[] = [];
  let pending = (await consumer.info()).num_pending;
  while (pending > 0) {
    for await (const message of await consumer.fetch({ max_messages: Math.min(AT_ONCE, pending), expires: 5_000 })) {
      const { seq: sequence, subject, headers, data } = message;
      messages.push({ stream, sequence, subject, data, headers, messageId: headers?.get("Nats-Msg-Id") ?? "" });
      ({ pending } = message.info);
    }
  }
  await manager.consumers.delete(stream, name);
  return messages;
}
