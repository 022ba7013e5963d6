import { isCertificateError } from "@gatehouse/errors";
import type { Logger } from "@gatehouse/observability";
import { AuthorizationError, type NatsConnection, PermissionViolationError } from "@nats-io/nats-core";

/** What keeps a connection from coming about, in words. A warning ends by itself; an error says what an operator can do. */
export function explainFailure(error: unknown): { readonly level: "warn" | "error"; readonly message: string } {
  const told = refusalText(error);
  return told === undefined
    ? { level: "warn", message: "cannot reach NATS, trying on" }
    : { level: "error", message: told };
}

function refusalText(error: unknown): string | undefined {
  if (error instanceof AuthorizationError) return "NATS refuses the user or the password in NATS_URL, trying on";
  if (isCertificateError(error)) {
    return "NATS shows a certificate that is not trusted, trying on: NODE_EXTRA_CA_CERTS names the file of its authority";
  }
  if (error instanceof Error && error.message.includes("does not support 'tls'"))
    return "NATS speaks no TLS, trying on: NATS_URL says tls://";
  return undefined;
}

/** True when the server's permissions forbid what was asked. */
export function isPermissionViolation(error: unknown): boolean {
  return error instanceof Error && (error instanceof PermissionViolationError || isPermissionViolation(error.cause));
}

/** Tokens that are made anew each time: an inbox, the name of a reader. */
const CHANGING = /[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Z]{22}/g;
const MAX_TOLD = 1_000;

/**
 * Tells each thing that the server's permissions forbid this process once and not with each try: what is forbidden stays so
 * until somebody changes the server's configuration.
 * @returns watches one more connection, until it is closed
 */
export function createRefusalLog(logger: Logger): (connection: NatsConnection) => Promise<void> {
  const told = new Set<string>();

  function tell({ operation, subject }: PermissionViolationError): void {
    const pattern = subject.replaceAll(CHANGING, "*");
    const key = `${operation} ${pattern}`;
    if (told.has(key) || told.size >= MAX_TOLD) return;
    told.add(key);
    logger.error(
      { operation, subject: pattern },
      "NATS does not permit this: allow it to the user of NATS_URL in the server's configuration, or use a user who may",
    );
  }

  return async (connection) => {
    for await (const status of connection.status()) {
      if (status.type === "error" && status.error instanceof PermissionViolationError) tell(status.error);
    }
  };
}
