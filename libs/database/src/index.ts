export { inBatches } from "./batches.ts";
export { createDatabase, type Database, type DatabaseOptions, type Handle, type PoolStatistics } from "./database.ts";
export { isTransientDatabaseError, translateDatabaseError, violatedConstraint } from "./errors.ts";
export { lockAdvisory, tryLockAdvisory } from "./locks.ts";
export { assertMigrated, createMigrations, type Migrations, type MigrationStatus } from "./migrations.ts";
export { prepareSchema, type SchemaOptions } from "./prepare-schema.ts";
export { createRepository, type Repository } from "./repository.ts";
