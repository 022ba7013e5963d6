import { SERVICES_WITH_DATABASE } from "@gatehouse/declarations";
import { createMigrations, prepareSchema, type SchemaOptions } from "@gatehouse/database";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { REPOSITORY_ROOT } from "./repository.ts";

export interface ServiceDatabases {
  /** The owner's URL, with rights to create databases, roles and schemas. */
  readonly ownerUrl: string;
  /** The URL of each service's own role, by service. */
  readonly serviceUrls: Readonly<Record<string, string>>;
  /** The root of another checkout of this repository, whose migrations run instead. */
  readonly tree?: string | undefined;
}

/** Creates roles and schemas of all services and migrates them. Existing ones stay. */
export async function prepareDatabases({ ownerUrl, serviceUrls, tree }: ServiceDatabases): Promise<void> {
  await Promise.all(
    SERVICES_WITH_DATABASE.map(({ name, folder, database: { schema, extensions = [] } }) =>
      prepareService({ ownerUrl, serviceUrl: serviceUrls[name] as string, schema, extensions, folder, tree }),
    ),
  );
}

/** Creates role and schema of the service in `folder`, a path from the root, and migrates it. */
export async function prepareService({
  folder,
  tree = REPOSITORY_ROOT,
  ...schema
}: SchemaOptions & { folder: string; tree?: string | undefined }): Promise<void> {
  await prepareSchema(schema);
  const migrations = createMigrations({
    url: schema.serviceUrl,
    folder: pathToFileURL(join(tree, folder, "src/db/migrations/")),
  });
  try {
    await migrations.up();
  } finally {
    await migrations.close();
  }
}
