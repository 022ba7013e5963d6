import {
  createMigration,
  createMigrations,
  DatabaseSetupError,
  type Migrations,
  type MigrationStatus,
  prepareSchema,
} from "@gatehouse/database";
import { checkDrift, type Drift } from "@gatehouse/database/drift";
import { fileURLToPath } from "node:url";
import type { ServiceWithDatabase } from "@gatehouse/declarations";
import type { MigratedService } from "./environment.ts";

const ROOT = new URL("../../", import.meta.url);

/** The result of a command for one service. */
export type Outcome<R> = { readonly service: string; readonly schema: string } & R;

/** Creates roles and schemas when the owner's URL is set, then applies missing migrations. */
export async function migrateUp(services: readonly MigratedService[], ownerUrl: string | undefined) {
  if (ownerUrl !== undefined)
    for (const {
      url,
      database: { schema, extensions = [] },
    } of services)
      await prepareSchema({ ownerUrl, serviceUrl: url, schema, extensions });
  return forEach(services, async (migrations) => ({ applied: await migrations.up() }));
}

/** @throws DatabaseSetupError in production without `isConfirmed` */
export async function migrateDown(services: readonly MigratedService[], isProduction: boolean, isConfirmed: boolean) {
  if (isProduction && !isConfirmed)
    throw new DatabaseSetupError("`down` deletes the data of the reverted tables. In production it requires --yes.");
  return forEach(services, async (migrations) => ({ reverted: await migrations.down() }));
}

export async function migrationStatus(
  services: readonly MigratedService[],
): Promise<Outcome<{ migrations: MigrationStatus[] }>[]> {
  return forEach(services, async (migrations) => ({ migrations: await migrations.status() }));
}

/** @throws DatabaseSetupError when another build migrated the schema */
export async function findDrift(services: readonly MigratedService[]): Promise<Outcome<{ drift: Drift[] }>[]> {
  return forEach(services, async (migrations, { name, url, folder, database }) => {
    const other = (await migrations.status()).find(({ appliedAt, isKnown }) => appliedAt === undefined || !isKnown);
    if (other)
      throw new DatabaseSetupError(
        `The schema of ${name} differs from this build's migrations (${other.name}). Run \`pnpm migrate up\` first.`,
      );
    return {
      drift: await checkDrift({
        url,
        tables: { file: new URL(`${folder}/src/db/database.ts`, ROOT), type: database.tables },
        root: ROOT,
      }),
    };
  });
}

/** @returns the path of the file */
export async function writeMigration(service: ServiceWithDatabase, name: string): Promise<string> {
  return fileURLToPath(await createMigration(migrationsOf(service), name, new Date()));
}

async function forEach<R>(
  services: readonly MigratedService[],
  work: (migrations: Migrations, service: MigratedService) => Promise<R>,
): Promise<Outcome<R>[]> {
  const outcomes: Outcome<R>[] = [];
  for (const service of services) {
    const migrations = createMigrations({ url: service.url, folder: migrationsOf(service) });
    try {
      outcomes.push({ service: service.name, schema: service.database.schema, ...(await work(migrations, service)) });
    } finally {
      await migrations.close();
    }
  }
  return outcomes;
}

function migrationsOf({ folder }: ServiceWithDatabase): URL {
  return new URL(`${folder}/src/db/migrations/`, ROOT);
}
