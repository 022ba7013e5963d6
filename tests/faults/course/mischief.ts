import type { Random } from "@gatehouse/test-kit/system";
import { randomUUID } from "node:crypto";
import { STREAMS } from "@gatehouse/contracts";
import { jetstream, type JetStreamClient } from "@nats-io/jetstream";
import { headers, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { setTimeout as pause } from "node:timers/promises";
import { readMessages, type StoredMessage } from "../ledger/read-stream.ts";

/** Messages that the harness itself put into the streams, so that the ledger can tell them from invented ones. */
export interface Mischief {
  /** Publishes some of the latest stored events once more, in another order, under a Nats-Msg-Id that the server does not know. */
  repeat(random: Random): Promise<void>;
  /** Publishes messages that are no events of their type. */
  publishMalformed(): Promise<void>;
  readonly repeated: ReadonlySet<string>;
  readonly malformed: ReadonlySet<string>;
  /** Reads a whole stream. */
  read(stream: string): Promise<StoredMessage[]>;
  close(): Promise<void>;
}

const LATEST = 400;
const REPEATED_AT_ONCE = 80;
const PUBLISH_ATTEMPTS = 60;

const NONSENSE: readonly (readonly [subject: string, payload: string])[] = [
  ["auth.account.updated", "this is not JSON"],
  [
    "auth.account.updated",
    JSON.stringify({ specversion: "1.0", type: "auth.account.updated", data: { version: "1" } }),
  ],
  ["auth.session.revoked", "[]"],
  ["user.profile.updated", JSON.stringify({ data: { full_name: 7 } })],
];

export function createMischief(natsUrl: string): Mischief {
  const repeated = new Set<string>();
  const malformed = new Set<string>();
  let connection: NatsConnection | undefined;

  async function connected(): Promise<NatsConnection> {
    if (connection === undefined || connection.isClosed())
      connection = await connect({ servers: natsUrl, reconnect: false, name: "faults-mischief" });
    return connection;
  }

  /** Until the server has it: what is on record as published has to be there. */
  async function publish(
    subject: string,
    payload: string | Uint8Array,
    msgID: string,
    extra = headers(),
  ): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const client: JetStreamClient = jetstream(await connected());
        await client.publish(subject, payload, { msgID, headers: extra, timeout: 2_000 });
        return;
      } catch (error) {
        if (attempt === PUBLISH_ATTEMPTS) throw error;
        await pause(250);
      }
    }
  }

  async function read(stream: string): Promise<StoredMessage[]> {
    return readMessages(await connected(), stream);
  }

  return {
    repeated,
    malformed,
    read,
    async repeat(random) {
      const stored = [...(await read(STREAMS.auth.name)), ...(await read(STREAMS.user.name))].filter(
        ({ subject, messageId }) => subject !== "auth.watermark" && !malformed.has(messageId),
      );
      for (const { subject, data } of random.shuffle(stored.slice(-LATEST)).slice(0, REPEATED_AT_ONCE)) {
        const id = `again-${randomUUID()}`;
        repeated.add(id);
        await publish(subject, data, id);
      }
    },
    async publishMalformed() {
      for (const [subject, payload] of NONSENSE) {
        const id = `malformed-${randomUUID()}`;
        malformed.add(id);
        await publish(subject, payload, id);
      }
    },
    async close() {
      await connection?.close();
    },
  };
}
