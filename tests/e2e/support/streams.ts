import { type GatehouseEvent, parseEvent } from "@gatehouse/contracts";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

/** A message as it lies in a stream, and the event that it is. */
export interface Published {
  readonly raw: string;
  readonly event: GatehouseEvent;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that a stream holds, read as any consumer in any language would read it. */
export async function readStream(connection: NatsConnection, stream: string): Promise<Published[]> {
  const manager = await jetstreamManager(connection);
  const { name } = await manager.consumers.add(stream, { ack_policy: AckPolicy.None });
  const consumer = await jetstream(connection).consumers.get(stream, name);
  const events: Published[] = [];
  for (;;) {
    const message = await consumer.next({ expires: 1_000 });
    if (!message) return events;
    const raw = message.string();
    const headers = Object.fromEntries([...(message.headers ?? [])].map(([name, values]) => [name, values.join()]));
    events.push({ raw, event: parseEvent(JSON.parse(raw)), headers });
    if (message.info.pending === 0) return events;
  }
}
