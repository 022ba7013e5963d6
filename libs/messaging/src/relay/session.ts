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

/** A connection whose stream is the one recorded in relay_state. Rows are published only over such a connection. */
export interface Session {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly streamCreated: string;
  readonly incarnation: number;
}

export interface SessionKeeper {
  current(): Session | undefined;
  /** Asks the server for the stream, creates it when it is missing, and records it. Never throws. */
  check(): Promise<void>;
  /** Stops publishing until the next check, because the stream seems lost. */
  invalidate(): void;
}

export interface SessionKeeperDeps {
  readonly db: Kysely<MessagingTables>;
  readonly bus: Bus;
  readonly stream: StreamDefinition;
  readonly replicas: number;
  readonly logger: Logger;
}

export function keepSession({ db, bus, stream, replicas, logger }: SessionKeeperDeps): SessionKeeper {
  const faults = createFaultLog({ logger, task: `checking the stream ${stream.name}` });
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
          logger.warn(
            { stream: stream.name, rows: again },
            "stream was recreated or lost its end, publishing rows again",
          );
        session = { connection, client: jetstream(connection), streamCreated: found.created, incarnation };
      }
      faults.succeeded();
    } catch (error) {
      // Nothing is published before the server confirmed the stream. Database faults are logged elsewhere.
      session = undefined;
      if (!connection.isClosed()) faults.failed(error);
    }
  }

  /** Applies the definition once per connection, then only checks that the stream still exists. */
  async function findStream(manager: JetStreamManager, first: boolean): Promise<StreamFound> {
    if (first) return toFound(await ensureStream(manager, stream, replicas));
    try {
      return toFound(await manager.streams.info(stream.name));
    } catch (error) {
      if (!isStreamNotFound(error)) throw error;
      return toFound(await ensureStream(manager, stream, replicas));
    }
  }

  return {
    current,
    check() {
      checking ??= check().finally(() => (checking = undefined));
      return checking;
    },
    invalidate() {
      session = undefined;
    },
  };
}

function toFound({ created, state }: StreamInfo): StreamFound {
  const isOlder = state.messages > 0 && Date.parse(state.first_ts) < Date.parse(created);
  return { created, lastSequence: state.last_seq, isOlder };
}
