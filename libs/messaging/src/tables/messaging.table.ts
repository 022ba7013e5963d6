import type { ColumnType, Generated, Insertable } from "kysely";

/** Events to publish. The relay keeps published rows for a while in case the stream is lost. */
interface OutboxTable {
  /** The event's id, and so its Nats-Msg-Id. */
  id: string;
  subject: string;
  /** The whole CloudEvent, as JSON text when written. */
  payload: ColumnType<unknown, string, never>;
  /** Extra NATS headers: name -> value, as JSON text when written. */
  headers: ColumnType<Record<string, string>, string, never>;
  revoking: boolean;
  created_at: Generated<Date>;
  /** End of a relay's lease; null when no relay has claimed the row. */
  claimed_until: ColumnType<Date | null, undefined, Date | null>;
  /** When JetStream acknowledged it. */
  published_at: ColumnType<Date | null, undefined, Date | null>;
  /** Its sequence in the stream. */
  stream_sequence: ColumnType<number | null, undefined, number | null>;
}

/** Each stream as the relays last found it. */
export interface RelayStateTable {
  stream: string;
  /** Creation time as the server reports it, in nanoseconds; compared as text. Another value means a recreated stream. */
  stream_created: string;
  /** Grows when the stream was recreated or lost its end; acknowledgements of earlier incarnations do not count. */
  incarnation: Generated<number>;
}

/** The tables that a schema needs to publish events. */
export interface MessagingTables {
  outbox: OutboxTable;
  relay_state: RelayStateTable;
}

export type OutboxInsert = Insertable<OutboxTable>;
