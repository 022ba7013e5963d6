import type { Handle } from "../handle.ts";
import { DatabaseSetupError, explainRefusal } from "../schema/setup-error.ts";
import { appliedMigrations } from "./applied-migrations.ts";
import { migrationNames } from "./migration-files.ts";

/**
 * What a service checks before it serves. A schema that is ahead of this build is fine: while replicas are replaced,
 * the older ones meet the newer schema.
 * @throws DatabaseSetupError naming what is missing, or why the server lets nobody in; the driver's error when the database is away
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
