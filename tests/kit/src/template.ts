import { SERVICES_WITH_DATABASE } from "@gatehouse/declarations";
import { databaseUrl, prepareDatabases, type StackAddresses } from "@gatehouse/local-stack";
import pg from "pg";

/** Test files clone this database. */
export const TEMPLATE = "gatehouse_template";

/** The password of the services' roles in test databases, which live for one run on loopback. */
const ROLE_PASSWORD = "throw-away";

/** Creates the template with the schemas of all services, each migrated under the service's own role. */
export async function migrateTemplate(superuserUrl: string): Promise<void> {
  await runSql(superuserUrl, `create database ${TEMPLATE}`);
  const ownerUrl = databaseUrl(superuserUrl, TEMPLATE);
  await prepareDatabases({ ownerUrl, serviceUrls: serviceUrlsOf(superuserUrl, TEMPLATE) });
}

/** Returns the URLs of the services' roles. */
export function serviceUrlsOf(superuserUrl: string, database: string): StackAddresses["databaseUrls"] {
  const urls = SERVICES_WITH_DATABASE.map(
    ({ name, database: { role } }) => [name, roleUrl(superuserUrl, database, role)] as const,
  );
  return Object.fromEntries(urls) as StackAddresses["databaseUrls"];
}

export function roleUrl(superuserUrl: string, database: string, role: string): string {
  return databaseUrl(superuserUrl, database, { role, password: ROLE_PASSWORD });
}

/** Runs one statement as the URL's role. */
export async function runSql(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
