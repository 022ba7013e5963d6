import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const REPOSITORY_ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));

/** Returns whether this user can reach a file or folder at the path. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Returns the URL of another database of the same server, as the same user unless `as` is given. */
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
