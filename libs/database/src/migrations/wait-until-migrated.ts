import { setTimeout as pause } from "node:timers/promises";
import type { DatabaseLogger } from "../database.ts";
import { isPoolClosed, isTransientDatabaseError } from "../database-error.ts";
import type { Handle } from "../handle.ts";
import { DatabaseSetupError } from "../schema/setup-error.ts";
import { assertMigrated } from "./assert-migrated.ts";

/** The part of a logger that is used here; pino's fits. */
interface StartLogger extends Pick<DatabaseLogger, "warn"> {
  error(fields: object, message: string): void;
}

const RETRY_MS = 500;
const AWAY = "the database is away";

/**
 * As assertMigrated, for a process that may start before its database, or before the migrations: it waits rather than dying, and
 * does not listen until then. So whoever starts everything need not know an order, and a build whose schema is behind never serves.
 * @throws whatever no operator of the database can mend, such as a migration's file with a wrong name; and when `db` is closed, since the
 * process ends then
 */
export async function waitUntilMigrated<T>(db: Handle<T>, folder: URL, logger: StartLogger): Promise<void> {
  let told: string | undefined;
  for (;;) {
    try {
      return await assertMigrated(db, folder);
    } catch (error) {
      const isAway = isTransientDatabaseError(error);
      if (isPoolClosed(error) || (!isAway && !(error instanceof DatabaseSetupError))) throw error;
      // Once, not with each try.
      const reason = isAway ? AWAY : String(error);
      if (reason !== told && isAway) logger.warn({}, `${AWAY}; the start waits for it`);
      if (reason !== told && !isAway)
        logger.error({ err: error }, "the schema cannot be used yet; the start waits for `pnpm migrate up`");
      told = reason;
      await pause(RETRY_MS);
    }
  }
}
