import type { ColumnType, Generated, Insertable } from "kysely";

/** Events on their way out. The relay publishes each row and keeps it for a while in case the stream is lost. */
export interface OutboxTable {
  /** The event's id, and so its Nats-Msg-Id. */
  id: string;
  subject: string;
  /** The whole CloudEvent, as JSON text when written. */
  payload: ColumnType<unknown, string, never>;
  /** Extra NATS headers: name -> value, as JSON text when written. */
  headers: ColumnType<Record<string, string>, string, never>;
  revoking: boolean;
  created_at: Generated<Date>;
  /** Until then one relay has it in hand; null when none has. */
  claimed_until: ColumnType<Date | null, undefined, Date | null>;
  /** When JetStream acknowledged it. */
  published_at: ColumnType<Date | null, undefined, Date | null>;
  /** The number under which it did. */
  stream_sequence: ColumnType<number | null, undefined, number | null>;
}

/** Each stream as the relays last saw it. */
export interface RelayStateTable {
  stream: string;
  /** As the server writes it, to the nanosecond; compared, never computed with. Another one means that the stream began anew. */
  stream_created: string;
  /** Grows whenever the stream began anew or lost its end: an acknowledgement from before then says nothing. */
  incarnation: Generated<number>;
}

/** The tables that a schema needs to publish events. */
export interface MessagingTables {
  outbox: OutboxTable;
  relay_state: RelayStateTable;
}

export type OutboxInsert = Insertable<OutboxTable>;
