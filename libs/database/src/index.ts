export { lockAdvisory, tryLockAdvisory } from "./advisory-lock.ts";
export { createDatabase, type Database, type DatabaseLogger, type DatabaseOptions } from "./database.ts";
export {
  isRefusedLogin,
  isTransientDatabaseError,
  translateDatabaseError,
  violatedConstraint,
} from "./database-error.ts";
export type { Handle } from "./handle.ts";
export { inBatches } from "./in-batches.ts";
export { assertMigrated } from "./migrations/assert-migrated.ts";
export { waitUntilMigrated } from "./migrations/wait-until-migrated.ts";
export { createMigration } from "./migrations/migration-files.ts";
export { createMigrations, type Migrations, type MigrationStatus } from "./migrations/migrations.ts";
export { createRepository, type Repository } from "./repository.ts";
export { prepareSchema, type SchemaOptions } from "./schema/prepare-schema.ts";
export { DatabaseSetupError } from "./schema/setup-error.ts";
