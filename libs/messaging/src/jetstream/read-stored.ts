import type { StreamDefinition } from "@gatehouse/contracts";
import type { NatsConnection } from "@nats-io/nats-core";
import { managerOf } from "../streams.ts";
import type { Delivered } from "./delivered.ts";
import { startPull } from "./pull.ts";
import { readerConfig } from "./reader-config.ts";
import type { StreamMessage } from "./stream-reader.ts";

export interface StoredRange {
  /** One subject, wildcards allowed; default: the whole stream. */
  readonly filter?: string | undefined;
  /** Skips messages stored before; default: none. */
  readonly since?: Date | undefined;
}

const CAPACITY = 500;

/**
 * Reads the messages that a stream holds now, once and in order.
 * @throws when the stream does not exist, the connection is lost, or `onMessage` throws
 */
export async function readStored(
  connection: NatsConnection,
  stream: StreamDefinition,
  range: StoredRange,
  onMessage: (message: StreamMessage) => void,
): Promise<void> {
  const manager = await managerOf(connection);
  const { name, num_pending: pending } = await manager.consumers.add(stream.name, readerConfig(range));
  if (pending > 0) await readAll(connection, { stream: stream.name, consumer: name }, pending, onMessage);
}

async function readAll(
  connection: NatsConnection,
  from: { stream: string; consumer: string },
  count: number,
  onMessage: (message: StreamMessage) => void,
): Promise<void> {
  const done = Promise.withResolvers<void>();
  const fail = (reason: string): void => done.reject(new Error(`reading ${from.stream} ended early: ${reason}`));
  let read = 0;
  let finished = false;

  function receive(message: Delivered): void {
    if (finished) return;
    read += 1;
    if (message.deliverySequence !== read) return fail("gap");
    try {
      onMessage(message);
    } catch (error) {
      done.reject(error);
    }
    // Messages that were deleted after the count are not delivered.
    if (read >= count || message.pending === 0) done.resolve();
    else pull.release();
  }

  const pull = startPull({ connection, ...from, capacity: CAPACITY, onMessage: receive });
  void pull.ended.then(fail);
  try {
    await done.promise;
  } finally {
    finished = true;
    pull.stop();
  }
}
