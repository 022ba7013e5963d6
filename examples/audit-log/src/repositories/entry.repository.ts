import type { Handle } from "@gatehouse/database";
import type { Insertable, Selectable } from "kysely";
import type { AuditTables } from "../db/database.ts";
import type { EntryTable } from "../db/tables/entry.table.ts";

/** The trail's record of an event. */
export interface Entry {
  /** The event's id. */
  readonly id: string;
  readonly type: string;
  readonly occurredAt: Date;
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly keyId: string | null;
  readonly actor: string | null;
  readonly correlationId: string | null;
  readonly version: number | null;
  readonly changed: readonly string[];
  readonly reason: string | null;
}

export interface RecordedEntry extends Entry {
  readonly recordedAt: Date;
}

export interface EntrySlice {
  readonly userId?: string | undefined;
  /** Only ids below this one, the last of the previous page. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Inserts an entry; does nothing when it exists. */
export async function insertEntry(db: Handle<AuditTables>, entry: Entry): Promise<void> {
  const insert = db.insertInto("entries").values(toRow(entry));
  await insert.onConflict((conflict) => conflict.column("id").doNothing()).execute();
}

/** Lists entries, newest first: an id begins with its creation time. */
export async function listEntries(db: Handle<AuditTables>, slice: EntrySlice): Promise<RecordedEntry[]> {
  let query = db.selectFrom("entries").selectAll().orderBy("id", "desc").limit(slice.limit);
  if (slice.userId !== undefined) query = query.where("user_id", "=", slice.userId);
  if (slice.before !== undefined) query = query.where("id", "<", slice.before);
  return (await query.execute()).map(toEntry);
}

function toRow(entry: Entry): Insertable<EntryTable> {
  return {
    id: entry.id,
    type: entry.type,
    occurred_at: entry.occurredAt,
    user_id: entry.userId,
    session_id: entry.sessionId,
    key_id: entry.keyId,
    actor: entry.actor,
    correlation_id: entry.correlationId,
    version: entry.version,
    changed: [...entry.changed],
    reason: entry.reason,
  };
}

function toEntry(row: Selectable<EntryTable>): RecordedEntry {
  return {
    id: row.id,
    type: row.type,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
    userId: row.user_id,
    sessionId: row.session_id,
    keyId: row.key_id,
    actor: row.actor,
    correlationId: row.correlation_id,
    version: row.version,
    changed: row.changed,
    reason: row.reason,
  };
}
