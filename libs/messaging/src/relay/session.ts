import type { StreamDefinition } from "@gatehouse/contracts";
import type { Logger } from "@gatehouse/observability";
import { jetstream, type JetStreamClient, type JetStreamManager, type StreamInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Kysely } from "kysely";
import type { Bus } from "../bus.ts";
import { createFaultLog } from "../fault-log.ts";
import { ensureStream, isStreamNotFound, managerOf } from "../streams.ts";
import type { MessagingTables } from "../tables/messaging.table.ts";
import { adoptStream, lastAcknowledged, type StreamFound } from "./adopt-stream.ts";

/** A connection whose stream is the one on record in relay_state: only then may rows be published. */
export interface Session {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly streamCreated: string;
  readonly incarnation: number;
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
      const acknowledged = known ? 0 : await lastAcknowledged(db);
      const found = await findStream(await managerOf(connection), known === undefined);
      if (known?.streamCreated !== found.created) {
        session = undefined;
        const { again, incarnation } = await adoptStream(db, stream.name, found, acknowledged);
        if (again > 0)
          logger.warn({ stream: stream.name, rows: again }, "the stream began anew or lost its end: publishing again");
        session = { connection, client: jetstream(connection), streamCreated: found.created, incarnation };
      }
      faults.worked();
    } catch (error) {
      // What is wrong with the database shows elsewhere; without the server's word nothing is published.
      session = undefined;
      if (!connection.isClosed()) faults.failed(error);
    }
  }

  /** The definition is applied once a connection; after that the question is only whether the stream is still there. */
  async function findStream(manager: JetStreamManager, first: boolean): Promise<StreamFound> {
    if (first) return asFound(await ensureStream(manager, stream, replicas));
    try {
      return asFound(await manager.streams.info(stream.name));
    } catch (error) {
      if (!isStreamNotFound(error)) throw error;
      return asFound(await ensureStream(manager, stream, replicas));
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

function asFound({ created, state }: StreamInfo): StreamFound {
  const isOlder = state.messages > 0 && Date.parse(state.first_ts) < Date.parse(created);
  return { created, lastSequence: state.last_seq, isOlder };
}
