import type { GeneratedAlways } from "kysely";

/** One event of the system: ids and names of what happened, never values. */
export interface EntryTable {
  /** The event's. */
  id: string;
  type: string;
  occurred_at: Date;
  recorded_at: GeneratedAlways<Date>;
  /** Null where the event is about no user. */
  user_id: string | null;
  session_id: string | null;
  key_id: string | null;
  actor: string | null;
  correlation_id: string | null;
  version: number | null;
  /** Names of fields. */
  changed: string[];
  reason: string | null;
}
