import { AppError } from "@gatehouse/errors";

/**
 * What an error of the HTTP client says about the request:
 * `unreached`: no connection came about, nothing was sent; `timeout`: sent, no answer in time;
 * `invalid`: the client refused to write it; `broken`: anything else, it may have been sent.
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
  readonly code?: string;
  readonly syscall?: string;
}

/** Sorts an error of undici or of the operating system. */
export function failureOf(error: Error): Failure {
  // A host name with several addresses fails with all their errors in one.
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.every((each: Error) => failureOf(each) === "unreached") ? "unreached" : "broken";
  const { code = "", syscall } = error as SystemError;
  if (syscall === "connect" || syscall === "getaddrinfo") return "unreached";
  return FAILURE_OF_CODE[code] ?? "broken";
}

/** The public error for a failure; its cause, which may hold an internal address, is for the log. */
export function upstreamError(failure: Failure, cause: unknown): AppError {
  switch (failure) {
    case "unreached":
      return new AppError("ServiceUnavailable", { retryAfter: 1, cause });
    case "timeout":
      return new AppError("GatewayTimeout", { cause });
    case "invalid":
      return new AppError("BadRequest", { cause });
    case "broken":
      return new AppError("BadGateway", { cause });
  }
}
