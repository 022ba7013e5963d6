import type { Handle } from "../repository.ts";
import { DatabaseSetupError, explainRefusal } from "../schema/setup-error.ts";
import { appliedMigrations } from "./applied-migrations.ts";
import { migrationNames } from "./migration-files.ts";

/**
 * Checks that the schema has every migration of this build. A newer schema is accepted: while replicas are replaced, older builds run on it.
 * @throws DatabaseSetupError naming missing migrations or a rejected login; the driver's error when the database is down
 */
export async function assertMigrated<T>(db: Handle<T>, folder: URL): Promise<void> {
  const [names, applied] = await Promise.all([
    migrationNames(folder),
    appliedMigrations(db).catch((error: unknown) => {
      throw explainRefusal(error) ?? error;
    }),
  ]);
  const missing = names.filter((name) => !applied.has(name));
  if (missing.length > 0)
    throw new DatabaseSetupError(`the database lacks the migrations ${missing.join(", ")}: run \`pnpm migrate up\``);
}
