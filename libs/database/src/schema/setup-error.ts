import { codeOf, isTransientDatabaseError } from "../database-error.ts";
import { partsOf } from "./database-url.ts";

/** What somebody who sets a database up has to read: what is wrong and what mends it, without a secret. */
export class DatabaseSetupError extends Error {
  override readonly name = "DatabaseSetupError";
}

/** SQLSTATE where the owner has not made something yet; PostgreSQL calls a missing role a wrong password. */
const NOT_SET_UP_STATES = new Set([
  "28P01", // invalid_password
  "28000", // invalid_authorization_specification
  "3D000", // invalid_catalog_name: the database
  "42501", // insufficient_privilege
]);

/** Whether a database that answers lacks what `pnpm migrate up` makes: itself, a role, a right, or migrations. */
export function isNotSetUp(error: unknown): boolean {
  return error instanceof DatabaseSetupError || NOT_SET_UP_STATES.has(codeOf(error) ?? "");
}

/** Runs `work` against the database of `url` and explains the driver's errors. */
export async function explainingFailures<R>(url: string, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseSetupError) throw error;
    const text = explanationOf(error, url);
    throw text === undefined ? error : new DatabaseSetupError(text, { cause: error });
  }
}

function explanationOf(error: unknown, url: string): string | undefined {
  const { server, database, user } = partsOf(url);
  const { code, message } = error as { code?: string; message: string };
  switch (code) {
    case "28P01":
    case "28000":
      return (
        `PostgreSQL at ${server} does not let "${user}" in: there is no such role, or its password is another. ` +
        "`pnpm migrate up` with DATABASE_URL, the owner's, makes the services' roles and sets their passwords"
      );
    case "3D000":
      return `PostgreSQL at ${server} has no database "${database}": \`pnpm migrate up\` with DATABASE_URL, the owner's, makes it`;
    case "42501":
      return `"${user}" may not do this in the database "${database}" at ${server}: ${message}`;
    default:
      return isTransientDatabaseError(error) ? `PostgreSQL at ${server} does not serve: ${reasonOf(error)}` : undefined;
  }
}

function reasonOf(error: unknown): string {
  const { cause, message, code } = error as Error & { code?: string };
  if (cause instanceof Error) return reasonOf(cause);
  return message === "" ? String(code) : message;
}
