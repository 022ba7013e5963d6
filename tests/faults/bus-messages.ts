import { STREAMS } from "@gatehouse/contracts";
import type { Random } from "@gatehouse/test-kit/run";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

/** A message of a stream. */
export interface StoredMessage {
  readonly stream: string;
  readonly sequence: number;
  readonly subject: string;
  readonly messageId: string;
  readonly data: Uint8Array;
  readonly headers: { get(name: string): string } | undefined;
}

/** Reads streams, and publishes what only a faulty publisher would. */
export interface BusMessages extends AsyncDisposable {
  /** Publishes some of the latest events again, in another order, with new message ids. */
  repeat(random: Random): Promise<void>;
  publishMalformed(): Promise<void>;
  /** The ids of the messages that the harness published. */
  readonly repeated: ReadonlySet<string>;
  readonly malformed: ReadonlySet<string>;
  read(stream: string): Promise<StoredMessage[]>;
}

const LATEST = 400;
const REPEATED_AT_ONCE = 80;
const PUBLISH_ATTEMPTS = 60;
const READ_AT_ONCE = 500;

const MALFORMED = [
  ["auth.account.updated", "this is not JSON"],
  ["auth.account.updated", '{"specversion":"1.0","type":"auth.account.updated","data":{"version":"1"}}'],
  ["auth.session.revoked", "[]"],
  ["user.profile.updated", '{"data":{"full_name":7}}'],
] as const;

export function createBusMessages(natsUrl: string): BusMessages {
  const repeated = new Set<string>();
  const malformed = new Set<string>();
  let connection: NatsConnection | undefined;

  async function connected(): Promise<NatsConnection> {
    if (connection === undefined || connection.isClosed())
      connection = await connect({ servers: natsUrl, reconnect: false, name: "faults-messages" });
    return connection;
  }

  /** Retries until the server has the message, so that the record of ids is complete. */
  async function publish(subject: string, payload: string | Uint8Array, ids: Set<string>): Promise<void> {
    const msgID = `harness-${randomUUID()}`;
    ids.add(msgID);
    for (let attempt = 1; ; attempt += 1)
      try {
        await jetstream(await connected()).publish(subject, payload, { msgID, timeout: 2_000 });
        return;
      } catch (error) {
        if (attempt === PUBLISH_ATTEMPTS) throw error;
        await pause(250);
      }
  }

  async function read(stream: string): Promise<StoredMessage[]> {
    const nats = await connected();
    const { consumers } = await jetstreamManager(nats);
    const { name } = await consumers.add(stream, { ack_policy: AckPolicy.None, mem_storage: true });
    const consumer = await jetstream(nats).consumers.get(stream, name);
    const messages: StoredMessage[] = [];
    let pending = (await consumer.info()).num_pending;
    while (pending > 0)
      for await (const message of await consumer.fetch({
        max_messages: Math.min(READ_AT_ONCE, pending),
        expires: 5_000,
      })) {
        const { seq: sequence, subject, headers, data } = message;
        messages.push({ stream, sequence, subject, data, headers, messageId: headers?.get("Nats-Msg-Id") ?? "" });
        ({ pending } = message.info);
      }
    await consumers.delete(stream, name);
    return messages;
  }

  return {
    repeated,
    malformed,
    read,
    async repeat(random) {
      const stored = [...(await read(STREAMS.auth.name)), ...(await read(STREAMS.user.name))].filter(
        ({ subject, messageId }) => subject !== "auth.watermark" && !malformed.has(messageId),
      );
      for (const { subject, data } of random.shuffle(stored.slice(-LATEST)).slice(0, REPEATED_AT_ONCE))
        await publish(subject, data, repeated);
    },
    async publishMalformed() {
      for (const [subject, payload] of MALFORMED) await publish(subject, payload, malformed);
    },
    [Symbol.asyncDispose]: async () => connection?.close(),
  };
}
