import { createMigrations, prepareSchema, type SchemaOptions } from "@gatehouse/database";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { REPOSITORY_ROOT } from "./repository.ts";

/** The schemas of the services, the roles that own them, and extensions that are wanted, not needed. */
export const SERVICE_SCHEMAS = [
  { service: "auth", schema: "auth", role: "gatehouse_auth", extensions: [] },
  { service: "user", schema: "users", role: "gatehouse_user", extensions: ["pg_trgm"] },
] as const;

export type ServiceWithSchema = (typeof SERVICE_SCHEMAS)[number]["service"];

export interface ServiceDatabases {
  /** Makes databases, roles and schemas. */
  readonly ownerUrl: string;
  /** The URL of each service's own role. */
  readonly serviceUrls: Readonly<Record<ServiceWithSchema, string>>;
  /** The root of another checkout of this repository, whose migrations are to run. */
  readonly tree?: string | undefined;
}

/** Makes both services' roles and schemas and migrates them; what is there already stays. */
export async function prepareDatabases({ ownerUrl, serviceUrls, tree }: ServiceDatabases): Promise<void> {
  await Promise.all(
    SERVICE_SCHEMAS.map(({ service, schema, extensions }) =>
      prepareService({
        ownerUrl,
        serviceUrl: serviceUrls[service],
        schema,
        extensions,
        folder: `services/${service}`,
        tree,
      }),
    ),
  );
}

/** Makes the role and the schema of the service in `folder`, a path from the root, and migrates it. */
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
