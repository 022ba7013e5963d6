export { lockAdvisory, tryLockAdvisory } from "./advisory-lock.ts";
export { createDatabase, type Database, type DatabaseDeps } from "./database.ts";
export {
  isRefusedLogin,
  isTransientDatabaseError,
  translateDatabaseError,
  violatedConstraint,
} from "./database-error.ts";
export { inBatches } from "./in-batches.ts";
export { assertMigrated } from "./migrations/assert-migrated.ts";
export { waitUntilMigrated } from "./migrations/wait-until-migrated.ts";
export { createMigration } from "./migrations/migration-files.ts";
export { createMigrations, type Migrations, type MigrationStatus } from "./migrations/migrations.ts";
export { createRepository, type Handle } from "./repository.ts";
export { prepareSchema, type SchemaOptions } from "./schema/prepare-schema.ts";
export { DatabaseSetupError } from "./schema/setup-error.ts";
