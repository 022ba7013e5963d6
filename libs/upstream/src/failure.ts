/**
 * How a request to one replica failed.
 * `unreached`: no connection was opened, nothing was sent. `timeout`: no response in time.
 * `invalid`: the HTTP client refused to send it. `broken`: everything else; the request may have been sent.
 */
export type Failure = "unreached" | "timeout" | "invalid" | "broken";

const FAILURE_OF_CODE: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: "unreached",
  EHOSTUNREACH: "unreached",
  ENETUNREACH: "unreached",
  EADDRNOTAVAIL: "unreached",
  ENOTFOUND: "unreached",
  EAI_AGAIN: "unreached",
  UND_ERR_CONNECT_TIMEOUT: "unreached",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  UND_ERR_INVALID_ARG: "invalid",
};

interface SystemError extends Error {
  readonly code?: unknown;
  readonly syscall?: string;
}

/** Classifies an error of undici, of the operating system or of `AbortSignal.timeout`. */
export function failureOf(error: unknown): Failure {
  // A host name with several addresses fails with the errors of all of them.
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.every((each) => failureOf(each) === "unreached") ? "unreached" : "broken";
  if (!(error instanceof Error)) return "broken";
  if (error.name === "TimeoutError") return "timeout";
  const { code, syscall } = error as SystemError;
  if (syscall === "connect" || syscall === "getaddrinfo") return "unreached";
  return FAILURE_OF_CODE[String(code)] ?? "broken";
}

/** No replica served the request. `errors` has the error of each attempt, in order. */
export class UpstreamError extends AggregateError {
  override readonly name = "UpstreamError";
  /** How the last attempt failed. */
  readonly failure: Failure;
  /** True when a replica may have received the request. */
  readonly wasSent: boolean;

  constructor(errors: readonly unknown[]) {
    super(errors, `no replica responded: ${errors.map(reasonOf).join("; ")}`, { cause: errors.at(-1) });
    this.failure = failureOf(errors.at(-1));
    this.wasSent = errors.some((error) => failureOf(error) !== "unreached");
  }
}

/** A code instead of the message, which contains addresses, or is empty for a name with several of them. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const codes = [error.cause, error].map((one) => (one as SystemError | undefined)?.code);
  return codes.find((code) => typeof code === "string") ?? error.message;
}
