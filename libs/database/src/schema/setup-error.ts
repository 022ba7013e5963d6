import { isAppError, isCertificateError, OperatorError } from "@gatehouse/errors";
import { codeOf, isRefusedLogin, isTransientDatabaseError } from "../database-error.ts";
import { partsOf } from "./database-url.ts";

/** What somebody who sets a database up has to read. */
export class DatabaseSetupError extends OperatorError {
  override readonly name = "DatabaseSetupError";
}

/** insufficient_privilege */
const FORBIDDEN = "42501";

/** The driver's error in words where it is the URL, or what `pnpm migrate up` makes, that keeps us out; undefined for every other one. */
export function explainRefusal(error: unknown, server?: string): DatabaseSetupError | undefined {
  const mend = mendOf(error);
  if (mend === undefined) return undefined;
  const where = server === undefined ? "" : ` at ${server}`;
  return new DatabaseSetupError(`PostgreSQL${where} refuses: ${(error as Error).message}. ${mend}`, { cause: error });
}

function mendOf(error: unknown): string | undefined {
  if (isRefusedLogin(error) || codeOf(error) === FORBIDDEN)
    return "`pnpm migrate up` with DATABASE_URL, the owner's, makes each service's database, role and password as its URL has them";
  if (isCertificateError(error))
    return "NODE_EXTRA_CA_CERTS, or sslrootcert in the URL, names the file of the authority";
  if (error instanceof Error && error.message.includes("does not support SSL"))
    return "The URL asks for TLS by its sslmode";
  return undefined;
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
  if (codeOf(error) === FORBIDDEN) {
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
