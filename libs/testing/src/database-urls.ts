/** The schemas of the services and the roles that own them. */
export const SERVICE_SCHEMAS = [
  { service: "auth", schema: "auth", role: "gatehouse_auth" },
  { service: "user", schema: "users", role: "gatehouse_user" },
] as const;

export type ServiceRole = (typeof SERVICE_SCHEMAS)[number]["role"];

/** The password of both roles in test databases, which live for one run on loopback. */
const TEST_PASSWORD = "throw-away";

/** The URL of another database of the same server, as the same user or as a service's role in tests. */
export function databaseUrl(serverUrl: string, database: string, role?: ServiceRole): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role;
    url.password = TEST_PASSWORD;
  }
  return url.href;
}
