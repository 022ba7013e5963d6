import { setTimeout as pause } from "node:timers/promises";
import type { DatabaseLogger } from "../database.ts";
import { isTransientDatabaseError } from "../database-error.ts";
import type { Handle } from "../handle.ts";
import { assertMigrated } from "./assert-migrated.ts";

const RETRY_MS = 500;

/**
 * As assertMigrated, for a process that starts before its database: it waits rather than dying, and does not listen until then.
 * @throws DatabaseSetupError naming what is missing and the command that applies it
 */
export async function waitUntilMigrated<T>(db: Handle<T>, folder: URL, logger: DatabaseLogger): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await assertMigrated(db, folder);
    } catch (error) {
      if (!isTransientDatabaseError(error)) throw error;
      if (attempt === 1) logger.warn({}, "the database is away; the start waits for it");
      await pause(RETRY_MS);
    }
  }
}
