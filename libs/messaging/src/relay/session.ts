import type { StreamDefinition } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import { jetstream, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Kysely } from "kysely";
import type { Bus } from "../bus.ts";
import { createFaultLog } from "../fault-log.ts";
import { ensureStream, isStreamNotFound, managerOf } from "../streams.ts";
import type { MessagingTables } from "../tables/messaging.table.ts";
import { adoptStream } from "./adopt-stream.ts";

/** A connection whose stream is the one on record in relay_state: only then may rows be published. */
export interface Session {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly streamCreated: string;
}

export interface SessionKeeper {
  current(): Session | undefined;
  /** Asks the server which stream it has, makes it when it has none, and puts it on record. Never throws. */
  check(): Promise<void>;
  /** The stream seems to be gone: no more publishing until the next check. */
  doubt(): void;
}

export function keepSession(options: {
  db: Kysely<MessagingTables>;
  bus: Bus;
  stream: StreamDefinition;
  replicas: number;
  logger: Logger;
}): SessionKeeper {
  const { db, bus, stream, replicas, logger } = options;
  const faults = createFaultLog(logger, `checking the stream ${stream.name}`);
  let session: Session | undefined;
  let checking: Promise<void> | undefined;

  function current(): Session | undefined {
    return session?.connection === bus.connection() ? session : undefined;
  }

  async function check(): Promise<void> {
    const connection = bus.connection();
    if (connection === undefined) return;
    try {
      const known = current();
      const streamCreated = await creationTime(await managerOf(connection), known === undefined);
      if (known?.streamCreated !== streamCreated) {
        session = undefined;
        const again = await adoptStream(db, stream.name, streamCreated);
        if (again > 0) logger.warn({ stream: stream.name, rows: again }, "the stream began anew: publishing again");
        session = { connection, client: jetstream(connection), streamCreated };
      }
      faults.worked();
    } catch (error) {
      // What is wrong with the database shows elsewhere; without the server's word nothing is published.
      session = undefined;
      if (!connection.isClosed()) faults.failed(error);
    }
  }

  /** The definition is applied once a connection; after that the question is only whether the stream is still there. */
  async function creationTime(manager: JetStreamManager, first: boolean): Promise<string> {
    if (first) return (await ensureStream(manager, stream, replicas)).created;
    try {
      return (await manager.streams.info(stream.name)).created;
    } catch (error) {
      if (!isStreamNotFound(error)) throw error;
      return (await ensureStream(manager, stream, replicas)).created;
    }
  }

  return {
    current,
    check() {
      checking ??= check().finally(() => (checking = undefined));
      return checking;
    },
    doubt() {
      session = undefined;
    },
  };
}
