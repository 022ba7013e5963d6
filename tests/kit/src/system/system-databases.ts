import { databaseUrl, prepareDatabases } from "@gatehouse/local-stack";
import pg from "pg";

/** Who works with the database of a system, and how each reaches it. */
export type SystemDatabases = Readonly<Record<"owner" | "auth" | "user", string>>;

/**
 * Makes the database `gatehouse` of an empty server, with both schemas migrated.
 * @param tree the root of another checkout of this repository, whose migrations are to run
 */
export async function createSystemDatabases(superuserUrl: string, tree?: string): Promise<SystemDatabases> {
  const superuser = new pg.Client({ connectionString: superuserUrl });
  await superuser.connect();
  await superuser.query("create database gatehouse");
  await superuser.end();
  const owner = databaseUrl(superuserUrl, "gatehouse");
  const as = (role: string) => databaseUrl(superuserUrl, "gatehouse", { role, password: "throw-away" });
  const serviceUrls = { auth: as("gatehouse_auth"), user: as("gatehouse_user") };
  await prepareDatabases({ ownerUrl: owner, serviceUrls, tree });
  return { owner, ...serviceUrls };
}
