import { type GatehouseEvent, parseEvent } from "@gatehouse/contracts";
import { AckPolicy, jetstream, jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";

/** A message of a stream. */
export interface StoredMessage {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly messageId: string;
  readonly raw: string;
  readonly headers: Readonly<Record<string, string>>;
  /** @throws EventFormatError for a malformed message */
  readonly event: GatehouseEvent;
}

const AT_ONCE = 500;

/** Reads a whole stream, as a consumer in any language does. */
export async function readStream(connection: NatsConnection, stream: string): Promise<StoredMessage[]> {
  const { consumers } = await jetstreamManager(connection);
  const { name } = await consumers.add(stream, { ack_policy: AckPolicy.None, mem_storage: true });
  const consumer = await jetstream(connection).consumers.get(stream, name);
  const messages: StoredMessage[] = [];
  let pending = (await consumer.info()).num_pending;
  while (pending > 0)
    for await (const one of await consumer.fetch({ max_messages: Math.min(AT_ONCE, pending), expires: 5_000 })) {
      const raw = one.string();
      const headers = Object.fromEntries([...(one.headers ?? [])].map(([header, values]) => [header, values.join()]));
      messages.push({
        ...{ stream, sequence: one.seq, subject: one.subject, raw, headers, messageId: headers["Nats-Msg-Id"] ?? "" },
        get event() {
          return parseEvent(JSON.parse(raw));
        },
      });
      ({ pending } = one.info);
    }
  await consumers.delete(stream, name);
  return messages;
}

/** Connects to NATS without credentials; disposing it closes the connection. */
export async function openStreams(
  url: string,
): Promise<JetStreamManager & AsyncDisposable & { readonly connection: NatsConnection }> {
  const connection = await connect({ servers: url, name: "gatehouse-test", reconnect: false });
  const manager = await jetstreamManager(connection);
  return Object.assign(manager, { connection, [Symbol.asyncDispose]: () => connection.close() });
}
