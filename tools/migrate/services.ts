/** A service that has a schema: where it is, who enters it, and what it is made of. */
export interface ServiceSchema {
  readonly name: "auth" | "user" | "audit-log";
  readonly schema: string;
  /** The environment variable with the URL of the service's own role. */
  readonly urlVariable: string;
  readonly migrations: URL;
  /** The interface that names the schema's tables, for the drift check. */
  readonly tables: { readonly file: URL; readonly type: string };
  /** Wanted, not needed. */
  readonly extensions: readonly string[];
  /** Left out unless its URL is there or it is asked for by name. */
  readonly isExample?: boolean;
}

const inRepository = (path: string) => new URL(`../../${path}`, import.meta.url);

export const SERVICE_SCHEMAS: readonly ServiceSchema[] = [
  {
    name: "auth",
    schema: "auth",
    urlVariable: "AUTH_DATABASE_URL",
    migrations: inRepository("services/auth/src/db/migrations/"),
    tables: { file: inRepository("services/auth/src/db/database.ts"), type: "AuthTables" },
    extensions: [],
  },
  {
    name: "user",
    schema: "users",
    urlVariable: "USER_DATABASE_URL",
    migrations: inRepository("services/user/src/db/migrations/"),
    tables: { file: inRepository("services/user/src/db/database.ts"), type: "UserTables" },
    // Makes the search of the admin's list fast.
    extensions: ["pg_trgm"],
  },
  {
    name: "audit-log",
    schema: "audit",
    urlVariable: "AUDIT_DATABASE_URL",
    migrations: inRepository("examples/audit-log/src/db/migrations/"),
    tables: { file: inRepository("examples/audit-log/src/db/database.ts"), type: "AuditTables" },
    extensions: [],
    isExample: true,
  },
];
