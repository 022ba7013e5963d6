import { isAppError, isCertificateError, OperatorError } from "@gatehouse/errors";
import { codeOf, isRefusedLogin, isTransientDatabaseError } from "../database-error.ts";
import { partsOf } from "./database-url.ts";

/** An error in the setup of the database that an operator must fix. */
export class DatabaseSetupError extends OperatorError {
  override readonly name = "DatabaseSetupError";
}

/** insufficient_privilege */
const FORBIDDEN = "42501";

/** Returns an explained error when the URL, or a missing role or database, causes the rejection; undefined for other errors. */
export function explainRefusal(error: unknown, server?: string): DatabaseSetupError | undefined {
  const advice = adviceFor(error);
  if (advice === undefined) return undefined;
  const where = server === undefined ? "" : ` at ${server}`;
  return new DatabaseSetupError(`PostgreSQL${where} rejected the connection: ${(error as Error).message}. ${advice}`, {
    cause: error,
  });
}

function adviceFor(error: unknown): string | undefined {
  if (isRefusedLogin(error) || codeOf(error) === FORBIDDEN)
    return "Run `pnpm migrate up` with DATABASE_URL set to the owner's URL; it creates each service's database, role and password from its URL";
  if (isCertificateError(error))
    return "Set NODE_EXTRA_CA_CERTS, or sslrootcert in the URL, to the file of the certificate authority";
  if (error instanceof Error && error.message.includes("does not support SSL"))
    return "The sslmode of the URL requires TLS";
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
    const text = `the role "${user}" lacks a permission in the database "${database}" at ${server}: ${(error as Error).message}`;
    return new DatabaseSetupError(text, { cause: error });
  }
  if (isTransientDatabaseError(error))
    return new DatabaseSetupError(`PostgreSQL at ${server} is unavailable: ${reasonOf(error)}`, { cause: error });
  return explainRefusal(error, server);
}

function reasonOf(error: unknown): string {
  const { cause, message, code } = error as Error & { code?: string };
  // An AppError hides the driver's message. The driver's own causes are less precise: a connection time-out has a lost one.
  if (isAppError(error) && cause !== undefined) return reasonOf(cause);
  return message === "" ? String(code) : message;
}
