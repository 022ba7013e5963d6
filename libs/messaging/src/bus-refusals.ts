import { isCertificateError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import { AuthorizationError, type NatsConnection, PermissionViolationError } from "@nats-io/nats-core";

/** Returns the log line for a failed connection attempt: `warn` when it may end by itself, `error` when an operator must act. */
export function explainFailure(error: unknown): { readonly level: "warn" | "error"; readonly message: string } {
  const refusal = refusalText(error);
  return refusal === undefined
    ? { level: "warn", message: "cannot reach NATS, retrying" }
    : { level: "error", message: refusal };
}

function refusalText(error: unknown): string | undefined {
  if (error instanceof AuthorizationError) return "NATS rejected the user or the password of NATS_URL, retrying";
  if (isCertificateError(error)) {
    return "the certificate of NATS is not trusted, retrying: set NODE_EXTRA_CA_CERTS to the file of its certificate authority";
  }
  if (error instanceof Error && error.message.includes("does not support 'tls'"))
    return "NATS does not support TLS but NATS_URL begins with tls://, retrying";
  return undefined;
}

/** Returns true when the server's permissions forbid the operation. */
export function isPermissionViolation(error: unknown): boolean {
  return error instanceof Error && (error instanceof PermissionViolationError || isPermissionViolation(error.cause));
}

/** Tokens that differ in each attempt: an inbox, the name of a reader. */
const CHANGING = /[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Z]{22}/g;
const MAX_REPORTED = 1_000;

/**
 * Logs each forbidden operation once in a process, not with each retry: it stays forbidden until an operator changes the server's
 * configuration.
 * @returns a function that watches one connection until it closes
 */
export function createRefusalLog(logger: Logger): (connection: NatsConnection) => Promise<void> {
  const reported = new Set<string>();

  function report({ operation, subject }: PermissionViolationError): void {
    const pattern = subject.replaceAll(CHANGING, "*");
    const key = `${operation} ${pattern}`;
    if (reported.has(key) || reported.size >= MAX_REPORTED) return;
    reported.add(key);
    logger.error(
      { operation, subject: pattern },
      "NATS does not permit this: grant it to the user of NATS_URL in the server's configuration, or use another user",
    );
  }

  return async (connection) => {
    for await (const status of connection.status()) {
      if (status.type === "error" && status.error instanceof PermissionViolationError) report(status.error);
    }
  };
}
