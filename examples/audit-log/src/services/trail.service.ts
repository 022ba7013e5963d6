import type { GatehouseEvent } from "@gatehouse/contracts";
import type { Kysely } from "kysely";
import type { AuditTables } from "../db/database.ts";
import { insertEntry, listEntries, type RecordedEntry } from "../repositories/entry.repository.ts";
import { entryOf } from "./entry-rules.ts";

interface TrailQuery {
  readonly userId?: string | undefined;
  /** The `nextCursor` of the previous page. */
  readonly cursor?: string | undefined;
  readonly limit: number;
}

interface TrailPage {
  readonly items: RecordedEntry[];
  readonly nextCursor: string | null;
}

/** The append-only trail. */
export interface Trail {
  /** Adds the event's entry; an existing entry stays unchanged. */
  record(event: GatehouseEvent): Promise<void>;
  /** Returns a page of entries, newest first. */
  list(query: TrailQuery): Promise<TrailPage>;
}

export interface TrailDeps {
  readonly db: Kysely<AuditTables>;
}

export function createTrail({ db }: TrailDeps): Trail {
  return {
    record: (event) => insertEntry(db, entryOf(event)),
    async list({ userId, cursor, limit }) {
      // One more entry shows whether another page follows.
      const found = await listEntries(db, { userId, before: cursor, limit: limit + 1 });
      const items = found.slice(0, limit);
      return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  };
}
