import type { GatehouseEvent } from "@gatehouse/contracts";
import type { Kysely } from "kysely";
import type { AuditTables } from "../db/database.ts";
import { insertEntry, listEntries, type RecordedEntry } from "../repositories/entry.repository.ts";
import { entryOf } from "./entry-rules.ts";

interface TrailQuery {
  readonly userId?: string | undefined;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

interface TrailPage {
  readonly items: RecordedEntry[];
  readonly nextCursor: string | null;
}

/** The append-only trail. */
export interface Trail {
  /** Adds the event's entry; one that is there already stays as it is. */
  record(event: GatehouseEvent): Promise<void>;
  /** Newest first. */
  list(query: TrailQuery): Promise<TrailPage>;
}

export function createTrail(db: Kysely<AuditTables>): Trail {
  return {
    record: (event) => insertEntry(db, entryOf(event)),
    async list({ userId, cursor, limit }) {
      // One more tells whether there is another page.
      const found = await listEntries(db, { userId, before: cursor, limit: limit + 1 });
      const items = found.slice(0, limit);
      return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  };
}
