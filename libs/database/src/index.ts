export { lockAdvisory, tryLockAdvisory } from "./advisory-lock.ts";
export { createDatabase, type Database, type DatabaseLogger, type DatabaseOptions } from "./database.ts";
export { isTransientDatabaseError, translateDatabaseError, violatedConstraint } from "./database-error.ts";
export type { Handle } from "./handle.ts";
export { inBatches } from "./in-batches.ts";
export { createRepository, type Repository } from "./repository.ts";
export { assertMigrated, createMigrations, type Migrations, type MigrationStatus } from "./migrations.ts";
export { prepareSchema, type SchemaOptions } from "./prepare-schema.ts";
