/** The URL of another database of the same server, as the same user unless told. */
export function databaseUrl(
  serverUrl: string,
  database: string,
  as?: { readonly role: string; readonly password: string },
): string {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  if (as !== undefined) {
    url.username = encodeURIComponent(as.role);
    url.password = encodeURIComponent(as.password);
  }
  return url.href;
}
