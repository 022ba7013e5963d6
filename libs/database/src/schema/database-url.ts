export interface DatabaseUrlParts {
  /** Empty in a URL of a socket. */
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly server: string;
  readonly database: string;
  readonly user: string;
  /** Undefined when the URL has none: the server then authenticates the user by other means. */
  readonly password: string | undefined;
}

export function partsOf(url: string): DatabaseUrlParts {
  const { hostname, port, pathname, username, password } = new URL(url);
  const user = decodeURIComponent(username);
  const number = port === "" ? 5432 : Number(port);
  return {
    host: hostname,
    port: number,
    server: `${hostname}:${number}`,
    // The default of libpq.
    database: decodeURIComponent(pathname.slice(1)) || user,
    user,
    password: password === "" ? undefined : decodeURIComponent(password),
  };
}

export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(database)}`;
  return changed.href;
}
