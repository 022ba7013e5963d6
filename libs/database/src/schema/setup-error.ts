import { isAppError, OperatorError } from "@gatehouse/errors";
import { codeOf, isTransientDatabaseError } from "../database-error.ts";
import { partsOf } from "./database-url.ts";

/** What somebody who sets a database up has to read. */
export class DatabaseSetupError extends OperatorError {
  override readonly name = "DatabaseSetupError";
}

/** SQLSTATE where the owner has not made something yet; PostgreSQL calls a missing role a wrong password. */
const NOT_SET_UP_STATES = new Set([
  "28P01", // invalid_password
  "28000", // invalid_authorization_specification, also when no rule of pg_hba.conf fits
  "3D000", // invalid_catalog_name: the database
  "42501", // insufficient_privilege
]);

/** The driver's error in words where a database that answers lacks what `pnpm migrate up` makes; undefined for every other one. */
export function explainRefusal(error: unknown, server?: string): DatabaseSetupError | undefined {
  if (!NOT_SET_UP_STATES.has(codeOf(error) ?? "")) return undefined;
  const text =
    `PostgreSQL${server === undefined ? "" : ` at ${server}`} refuses: ${(error as Error).message}. ` +
    "`pnpm migrate up` with DATABASE_URL, the owner's, makes each service's database, role and password as its URL has them";
  return new DatabaseSetupError(text, { cause: error });
}

/** Runs `work` against the database of `url` and explains the driver's errors. */
export async function explainingFailures<R>(url: string, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseSetupError) throw error;
    throw explain(error, url) ?? error;
  }
}

function explain(error: unknown, url: string): DatabaseSetupError | undefined {
  const { server, database, user } = partsOf(url);
  if (codeOf(error) === "42501") {
    const text = `"${user}" may not do this in the database "${database}" at ${server}: ${(error as Error).message}`;
    return new DatabaseSetupError(text, { cause: error });
  }
  if (isTransientDatabaseError(error))
    return new DatabaseSetupError(`PostgreSQL at ${server} does not serve: ${reasonOf(error)}`, { cause: error });
  return explainRefusal(error, server);
}

function reasonOf(error: unknown): string {
  const { cause, message, code } = error as Error & { code?: string };
  // Ours says nothing of the driver's. The driver's own causes say less: that of a connection that took too long is a lost one.
  if (isAppError(error) && cause !== undefined) return reasonOf(cause);
  return message === "" ? String(code) : message;
}
