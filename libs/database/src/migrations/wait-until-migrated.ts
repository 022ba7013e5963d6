import { setTimeout as pause } from "node:timers/promises";
import type { DatabaseLogger } from "../database.ts";
import { isPoolClosed, isTransientDatabaseError } from "../database-error.ts";
import type { Handle } from "../repository.ts";
import { DatabaseSetupError } from "../schema/setup-error.ts";
import { assertMigrated } from "./assert-migrated.ts";

/** The used part of a logger, such as pino's. */
interface StartLogger extends Pick<DatabaseLogger, "warn"> {
  error(fields: object, message: string): void;
}

const RETRY_MS = 500;
const UNAVAILABLE = "the database is unavailable, waiting for it";

/**
 * Waits until assertMigrated succeeds, so that a service may start before its database and its migrations, in any order, and never
 * serves with an outdated schema.
 * @throws for errors that no operator of the database can fix, such as a wrongly named migration, and when `db` is closed
 */
export async function waitUntilMigrated<T>(db: Handle<T>, folder: URL, logger: StartLogger): Promise<void> {
  let lastReason: string | undefined;
  for (;;) {
    try {
      return await assertMigrated(db, folder);
    } catch (error) {
      const isUnavailable = isTransientDatabaseError(error);
      if (isPoolClosed(error) || (!isUnavailable && !(error instanceof DatabaseSetupError))) throw error;
      // Logged once, not with each attempt.
      const reason = isUnavailable ? UNAVAILABLE : String(error);
      if (reason !== lastReason && isUnavailable) logger.warn({}, UNAVAILABLE);
      if (reason !== lastReason && !isUnavailable)
        logger.error({ err: error }, "the schema is not ready, waiting for `pnpm migrate up`");
      lastReason = reason;
      await pause(RETRY_MS);
    }
  }
}
