import type { GeneratedAlways } from "kysely";

/** One event of the system: ids and names of changed fields, never values. */
export interface EntryTable {
  /** The event's id. */
  id: string;
  type: string;
  occurred_at: Date;
  recorded_at: GeneratedAlways<Date>;
  /** Null when the event concerns no user. */
  user_id: string | null;
  session_id: string | null;
  key_id: string | null;
  actor: string | null;
  correlation_id: string | null;
  version: number | null;
  /** Names of changed fields. */
  changed: string[];
  reason: string | null;
}
